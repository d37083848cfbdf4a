// Package caregiverapp holds the built web apps: that of the home-care staff,
// so that the cloud service is one file, and the resident's screen, so that the
// gateway is one. Without a build it holds no page.
package caregiverapp

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built apps: index.html for staff, kiosk.html for the
// resident, and under assets/ files whose names change with their content and may be
// cached for ever. Without a build there is none of the pages.
func Files() (fs.FS, error) { return fs.Sub(dist, "dist") }
