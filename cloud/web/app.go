package web

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// app serves the apps: files as they are, everything else that a browser asks
// for as the page of the relatives' app beneath /family, of the caregiver app
// elsewhere, which finds its own way.
func (s *server) app() http.HandlerFunc {
	files := http.FileServerFS(s.App)
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
			writeProblem(w, problemOf(fs.ErrNotExist))
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if info, err := fs.Stat(s.App, name); name != "" && err == nil && !info.IsDir() {
			if strings.HasPrefix(name, "assets/") {
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // named by content
			}
			if path.Ext(name) == ".webmanifest" { // not every system's list of types has it
				w.Header().Set("Content-Type", "application/manifest+json")
			}
			files.ServeHTTP(w, r)
			return
		}
		if path.Ext(name) != "" {
			http.NotFound(w, r)
			return
		}
		page, err := fs.ReadFile(s.App, s.pageOf(name))
		if err != nil {
			http.Error(w, "The app was not built into this binary: run make build.", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(page)
	}
}

// pageOf returns the file of the app that has the address. Who has a link to a
// call has a page of their own, where the app was built with one.
func (s *server) pageOf(name string) string {
	switch first, _, _ := strings.Cut(name, "/"); first {
	case "family":
		return "family.html"
	case "guest":
		if _, err := fs.Stat(s.App, "guest.html"); err == nil {
			return "guest.html"
		}
		return "family.html"
	}
	return "index.html"
}
