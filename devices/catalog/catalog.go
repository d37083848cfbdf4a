// Package catalog knows products: what each model of device is, where it says
// things in its own way, and how long it may be quiet before something is wrong.
//
// There is one YAML file per product in products/. A product that is not
// there works all the same; the catalogue is for what cannot be told from the
// messages alone.
package catalog

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lykta/lykta/devices"
)

// Class is what a product is, as an installer would call it.
type Class string

// The classes.
const (
	Button     Class = "button"     // presses only
	Contact    Class = "contact"    // door, window, cupboard
	Motion     Class = "motion"     // passive infrared
	Presence   Class = "presence"   // radar: sees somebody sitting still
	Mat        Class = "mat"        // bed or seat
	Climate    Class = "climate"    // temperature and humidity
	Plug       Class = "plug"       // mains plug with a meter
	Meter      Class = "meter"      // water or energy meter
	Vibration  Class = "vibration"  // shaken, tilted
	SmokeAlarm Class = "smoke"      // smoke detector
	COAlarm    Class = "co"         // carbon monoxide detector
	Leak       Class = "leak"       // water on the floor
	Fall       Class = "fall"       // fall detector
	Dispenser  Class = "dispenser"  // medication dispenser
	HealthTest Class = "healthtest" // blood pressure, scales, …
)

var classes = []Class{Button, Contact, Motion, Presence, Mat, Climate, Plug, Meter, Vibration, SmokeAlarm, COAlarm, Leak, Fall, Dispenser, HealthTest}

// Product is one product.
type Product struct {
	// Vendor and Models as Zigbee2MQTT writes them in a device's definition;
	// the product sells under any of Models.
	Vendor string   `yaml:"vendor"`
	Models []string `yaml:"models"`
	Name   string   `yaml:"name"`
	Class  Class    `yaml:"class"`
	// Fields says where a field of the product's messages means something
	// else than its name says.
	Fields map[string]Field `yaml:"fields"`
	// Silence is how long the product may say nothing at all before it counts
	// as lost; 0 leaves it to SilenceAfter of the kinds it reports.
	Silence time.Duration `yaml:"silence"`
	// BatteryLow is the charge in percent below which the battery wants
	// changing, 1–99; 0 when the product has no battery.
	BatteryLow float64 `yaml:"battery_low"`
}

// Field is what a field of a message means for one product.
type Field struct {
	// Kind replaces the kind that the field has for other products; "ignore"
	// leaves the field out.
	Kind devices.Kind `yaml:"kind"`
	// Invert turns a two-state value round.
	Invert bool `yaml:"invert"`
}

// Ignore, as a Field's kind, leaves the field out.
const Ignore devices.Kind = "ignore"

// Lookup returns the product that is sold under the model name, without
// regard to case.
func Lookup(model string) (Product, bool) {
	p, ok := shelf().byModel[strings.ToLower(model)]
	return p, ok
}

// All returns every product, by vendor and first model.
func All() []Product { return slices.Clone(shelf().all) }

//go:embed products/*.yaml
var products embed.FS

type shelves struct {
	all     []Product
	byModel map[string]Product
}

var shelf = sync.OnceValue(func() shelves {
	s, err := read(products)
	if err != nil {
		panic(fmt.Sprintf("catalog: embedded products: %v", err)) // a test reads them all
	}
	return s
})

func read(dir fs.FS) (shelves, error) {
	s := shelves{byModel: map[string]Product{}}
	err := fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		p, err := readProduct(dir, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, m := range p.Models {
			if other, taken := s.byModel[strings.ToLower(m)]; taken {
				return fmt.Errorf("%s: model %s is also %s", name, m, other.Name)
			}
			s.byModel[strings.ToLower(m)] = p
		}
		s.all = append(s.all, p)
		return nil
	})
	slices.SortFunc(s.all, func(a, b Product) int {
		return strings.Compare(a.Vendor+"\x00"+a.Models[0], b.Vendor+"\x00"+b.Models[0])
	})
	return s, err
}

func readProduct(dir fs.FS, name string) (Product, error) {
	f, err := dir.Open(name)
	if err != nil {
		return Product{}, err
	}
	defer f.Close()
	var p Product
	dec := yaml.NewDecoder(f)
	dec.KnownFields(true)
	if err := dec.Decode(&p); err != nil {
		return Product{}, err
	}
	switch {
	case p.Vendor == "" || p.Name == "" || len(p.Models) == 0 || slices.Contains(p.Models, ""):
		return Product{}, errors.New("vendor, name and models are needed")
	case !slices.Contains(classes, p.Class):
		return Product{}, fmt.Errorf("class %q is not one", p.Class)
	case p.Silence < 0 || p.BatteryLow < 0 || p.BatteryLow >= 100:
		return Product{}, errors.New("silence or battery_low out of range")
	}
	for field, f := range p.Fields {
		if f.Kind == "" {
			return Product{}, fmt.Errorf("field %s: kind is missing", field)
		}
	}
	return p, nil
}
