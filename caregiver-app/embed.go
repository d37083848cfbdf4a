// Package caregiverapp holds the built web app of the home-care staff, so
// that the cloud service is one file. Without a build it holds no page.
package caregiverapp

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built app: index.html, and under assets/ files whose
// names change with their content and may be cached for ever. Without a build
// there is no index.html.
func Files() (fs.FS, error) { return fs.Sub(dist, "dist") }
