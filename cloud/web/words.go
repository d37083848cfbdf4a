package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// swedish is what a person is told of each problem that the API answers with.
// English is what the code says itself, for programs and for who reads English.
var swedish = map[string]string{
	"LYK-0440": "Du har ringt tre gånger utan att få svar.",
	"LYK-0501": "Larmet är redan avslutat.",
	"LYK-0502": "Det finns inte, eller finns inte längre.",
	"LYK-0503": "Det som skickades kan inte tas emot. Se över uppgifterna och försök igen.",
	"LYK-0504": "Du är inte inloggad.",
	"LYK-0505": "Din roll, dina områden eller det som den boende har bestämt tillåter inte det här.",
	"LYK-0506": "Historiken går inte att läsa just nu. Larmen fungerar som vanligt.",
	"LYK-0507": "Något gick fel i tjänsten.",
	"LYK-0508": "Namnet är redan upptaget.",
	"LYK-0510": "Inloggningen hör inte till någon som får larm.",
	"LYK-0532": "Någon annan har ändrat besöket under tiden.",
	"LYK-0533": "Besöket ställdes in under tiden.",
	"LYK-0713": "För många försök härifrån. Vänta en minut och försök igen.",
	"LYK-0714": "Inloggningen har använts någon annanstans och är avslutad. Logga in igen.",
	"LYK-0715": "Passernycklar fungerar bara på tjänstens egen adress, med https.",
	"LYK-0716": "Det tog för lång tid, eller är redan gjort. Börja om.",
	"LYK-0717": "Passernyckeln godtogs inte.",
	"LYK-0718": "Inbjudan är använd, ersatt eller för gammal. Be om en ny.",
	"LYK-0719": "Ingen kan ge en roll eller områden utöver sina egna, eller ändra sina egna.",
	"LYK-0720": "Inloggning genom kommunen är inte inställd.",
	"LYK-0721": "Kommunens inloggning svarar inte.",
	"LYK-0722": "Svaret från kommunens inloggning går inte att lita på.",
	"LYK-0723": "Ingen här är känd med den e-postadressen.",
	"LYK-0724": "Kommunens inloggning har inte bekräftat e-postadressen.",
	"LYK-0725": "Personen har ingen roll och kan därför inte logga in.",
	"LYK-0727": "Inloggningen hör inte till någon person, och bara personer har passernycklar och inloggningar.",
	"LYK-0728": "Det tog för lång tid på vägen och skickas igen.",
	"LYK-0729": "För att lägga till en passernyckel behöver du nyss, inom tio minuter, ha visat vem du är.",
	"LYK-0730": "Det finns ingen passernyckel att visa vem du är med. Logga in igen med en ny inbjudan, eller genom kommunen.",
	"LYK-0731": "Flera personer har den e-postadressen.",
	"LYK-0900": "Samtalet finns inte, eller finns inte längre.",
	"LYK-0901": "Hemmet är redan i ett samtal.",
	"LYK-0902": "Samtalet är slut.",
	"LYK-0903": "Samtalet är fullt. Hemmet och tre andra kan vara med.",
	"LYK-0904": "Din roll, dina områden eller det som den boende har bestämt tillåter inte samtalet.",
	"LYK-0905": "Skärmen får inte svara av sig själv: den boende har inte tillåtit det för dig, eller så pågår inget akut larm.",
	"LYK-0906": "Länken fungerar inte längre. Be om en ny.",
	"LYK-0907": "Samtal med bild är avstängda i tjänsten.",
	"LYK-0908": "Samtalets teknik förstod inte vad som skickades. Lägg på och försök igen.",
	"LYK-0909": "Bara en person kan ringa. Logga in som dig själv.",
	"LYK-0910": "Du är med i samtalet i en annan webbläsare.",
}

// swedishDetails are what is said instead of the sentence of the id where the
// English detail has these words; the first that fits.
var swedishDetails = []struct{ has, text string }{
	{"last resort of every area, who can be reached", "Någon måste finnas kvar som sista utväg för alla områden, som går att nå och inte är borta."},
	{"the last resort of every area is told of every kind", "Den som är sista utväg för alla områden får veta om alla slags larm."},
	{"a shift begins before it ends", "Ett pass börjar innan det slutar, och är 31 dygn som mest."},
	{"are never silenced", "Larm av det slaget kan aldrig tystas."},
	{"telephone number is written", "Skriv telefonnumret med landsnummer, så här: +46701234567."},
	{"the silence cannot be stored: it has a reason", "Skriv varför larmen tystas, med högst 500 tecken."},
	{"the silence cannot be stored: it ends", "Tystnaden slutar efter att den börjar, inom 60 dagar."},
	{"expected within the next four hours", "Säg en tid inom de närmaste fyra timmarna."},
	{"not an outcome", "Välj hur larmet slutade."},
	{"is not for the resident to decide", "Det är inget som den boende bestämmer om."},
	{"a decision is made on the screen, spoken or on paper", "Säg hur beslutet togs: på skärmen, muntligt eller på papper."},
	{"is no contact of this home", "Personen hör inte till det här hemmet, eller kan inte logga in för att se det."},
	{"the decision cannot be stored: it ends", "Beslutet slutar efter att det börjar."},
	{"an id is 1–64 lower-case letters", "Ett id har 1–64 tecken: små bokstäver utan prickar, siffror, punkt, understreck och bindestreck."},
	{"a name is 1–200 bytes", "Skriv ett namn, med högst 200 tecken."},
	{"time zone", "Tidszonen är inte känd. Skriv den så här: Europe/Stockholm."},
	{"a check-in window is from before by", "En tid för incheckning börjar innan den slutar, inom ett dygn."},
	{"more than 16 addresses", "En person har högst 16 adresser och nummer."},
	{"an address of channel", "En adress är tom eller för lång."},
	{"relatives and neighbours belong to a home", "Närstående och grannar hör till ett hem."},
	{"less than no rounds", "Antalet varv är noll eller fler."},
	{"an alert is held for 5 minutes", "Den som tar ett larm har det i 5 minuter till 24 timmar."},
	{"an emergency is held for 2 hours", "Den som tar ett akut larm har det i högst två timmar."},
	{"tells nobody", "Välj vilka som larmas i varje steg."},
	{"of an emergency waits a minute", "Vid akuta larm är väntan mellan stegen högst en minut."},
	{"waits 15 seconds to 24 hours", "Väntan mellan stegen är 15 sekunder till 24 timmar."},
	{"an emergency comes to the last resort", "Akuta larm når till sist den som är sista utväg, och tar inte slut innan någon tar dem."},
	{"steps", "Antalet steg är för stort eller för litet."},
	{"is at most 200 characters", "En uppgift är för lång: högst 200 tecken."},
	{"is at most 2,000 characters", "En uppgift är för lång: högst 2 000 tecken."},
	{"1–4,000 characters", "En anteckning har 1–4 000 tecken."},
	{"why it was missed is said", "Skriv kort varför besöket inte blev av."},
	{"the visit cannot be stored: it ends after", "Besöket slutar efter att det börjar, inom ett dygn."},
	{"at one time has at most 1000", "Det som skrivs om ett besök på en gång har högst 1 000 tecken."},
	{"its note 4000", "Vad besöket gäller har högst 200 tecken, och det som skrivs om det 4 000."},
	{"nobody has asked for it", "Ingen har önskat besöket."},
	{"it has been answered", "Önskemålet är redan besvarat."},
	{"others wait for an answer", "Det finns redan många önskemål som väntar på svar."},
	{"there is no person", "Personen finns inte."},
	{"it lies ahead, within three months", "Välj en tid framåt, inom tre månader."},
	{"it has 1–120 characters", "En påminnelse har 1–120 tecken."},
	{"the reminder cannot be stored: a home has at most", "Skärmen kan inte visa fler påminnelser. Ta bort någon först."},
	{"a text or a picture", "Skriv något, eller välj en bild."},
	{"at most 500 characters", "Ett meddelande har högst 500 tecken."},
	{"a picture is", "Bilden kan inte skickas: den är för stor eller av fel slag."},
	{"the message cannot be stored: it ends", "Meddelandet slutar visas efter att det börjar."},
	{"shown for 60 days", "Ett meddelande visas i högst 60 dagar."},
	{"one person writes at most", "Du har skrivit så många meddelanden som går på ett dygn."},
	{"an alarm of the home is not closed", "Hemmet har ett larm som inte är avslutat. Prova när det är klart."},
	{"who tests is away", "Den som provar är borta, eller har ingen adress."},
	{"who tests can be told", "Den som provar behöver kunna få larmet."},
	{"the press is awaited", "Trycket väntas in i 1–30 minuter."},
	{"from is before to", "Tiden börjar innan den slutar."},
	{"at most seven days", "Välj högst sju dagar åt gången."},
	{"at most 92 days", "Välj högst 92 dagar åt gången."},
	{"two letters at least", "Skriv minst två bokstäver."},
	{"a press means", "Ett tryck betyder larm, incheckning eller en knapp."},
	{"a picture is a JPEG of at most 30 KiB", "Bilden av den som ringer kan inte användas."},
	{"the visit is not planned by video", "Besöket är inte ett planerat besök med bild."},
	{"another outcome is said in the note", "Skriv hur samtalet slutade."},
	{"a guest has a name", "Skriv vad den som bjuds in heter."},
	{"1–128 bytes", "Ett namn är tomt eller för långt."},
}

// inSwedish is the problem as a Swedish reader is told of it: nothing of it is
// in English.
func (p Problem) inSwedish() Problem {
	text, ok := swedish[p.ID]
	if !ok {
		text = swedish["LYK-0507"]
	}
	english := p.Detail
	p.Title, p.Detail = text, ""
	for _, d := range swedishDetails {
		if english != "" && strings.Contains(english, d.has) {
			p.Detail = d.text
			break
		}
	}
	if p.Again != nil {
		p.Detail = text + " Du kan ringa igen klockan " + p.Again.Format("15.04") + "."
	}
	if len(p.Errors) > 0 { // copied, as others may hold them
		errs := p.Errors
		p.Errors = nil
		for _, e := range errs {
			said := *e
			said.Message = "Värdet går inte att använda."
			p.Errors = append(p.Errors, &said)
		}
	}
	return p
}

// wantsSwedish reports whether an Accept-Language header asks for Swedish
// before English (RFC 9110, section 12.5.4).
func wantsSwedish(accept string) bool {
	best := map[string]float64{}
	for i, part := range strings.Split(accept, ",") {
		tag, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		language, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(weight), "q="); ok {
			if f, err := strconv.ParseFloat(value, 64); err == nil {
				q = f
			}
		}
		best[language] = max(best[language], q-float64(i)/1e6) // the earlier of equals
	}
	return best["sv"] > 0 && best["sv"] > best["en"]
}

// speak answers with problems in the language that is asked for, whoever of
// the server finds them.
func speak(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wantsSwedish(r.Header.Get("Accept-Language")) {
			next.ServeHTTP(w, r)
			return
		}
		out := &speaker{ResponseWriter: w}
		defer out.end()
		next.ServeHTTP(out, r)
	})
}

// speaker keeps a problem until it is whole, and lets all else through.
type speaker struct {
	http.ResponseWriter
	begun  bool
	status int // of a problem, else 0
	kept   bytes.Buffer
}

// Unwrap is for http.ResponseController.
func (s *speaker) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *speaker) WriteHeader(status int) {
	s.begun = true
	if strings.HasPrefix(s.Header().Get("Content-Type"), "application/problem+json") {
		s.status = status
		return
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *speaker) Write(b []byte) (int, error) {
	if !s.begun {
		s.WriteHeader(http.StatusOK)
	}
	if s.status != 0 {
		return s.kept.Write(b)
	}
	return s.ResponseWriter.Write(b)
}

// end sends a problem that was kept.
func (s *speaker) end() {
	if s.status == 0 {
		return
	}
	h := s.Header()
	h.Del("Content-Length")
	h.Add("Vary", "Accept-Language")
	var p Problem
	if json.Unmarshal(s.kept.Bytes(), &p) == nil {
		h.Set("Content-Language", "sv")
		s.kept.Reset()
		_ = json.NewEncoder(&s.kept).Encode(p.inSwedish())
	}
	s.ResponseWriter.WriteHeader(s.status)
	_, _ = s.ResponseWriter.Write(s.kept.Bytes())
}
