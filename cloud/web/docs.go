package web

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

var docsTemplate = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lykta API</title><link rel="stylesheet" href="/docs/style.css"></head><body><main>
<h1>{{.Info.Title}} API {{.Info.Version}}</h1><p>{{.Info.Description}} Machine-readable: <a href="/openapi.json">openapi.json</a>.</p>
{{range .Operations}}<section id="{{.OperationID}}"><h2><code>{{.Method}} {{.Path}}</code></h2>
<p>{{.Summary}}.{{with .Description}} {{.}}{{end}}</p>
{{with .Parameters}}<table><caption>Parameters</caption><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Meaning</th></tr>
{{range .}}<tr><td><code>{{.Name}}</code></td><td>{{.In}}</td><td>{{.Description}}</td></tr>{{end}}</table>{{end}}
</section>{{end}}</main></body></html>
`))

const docsStyle = `body{font:1rem/1.5 system-ui,sans-serif;color-scheme:light dark;margin:0}
main{max-width:52rem;margin:auto;padding:1rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse}caption{text-align:left}th,td{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}`

// docsPage renders the API's description as one page without scripts.
func docsPage(o *huma.OpenAPI) http.HandlerFunc {
	var ops []*huma.Operation
	for _, item := range o.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				ops = append(ops, op)
			}
		}
	}
	slices.SortFunc(ops, func(a, b *huma.Operation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
	var page bytes.Buffer
	err := docsTemplate.Execute(&page, struct {
		Info       *huma.Info
		Operations []*huma.Operation
	}{o.Info, ops})
	return func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			writeProblem(w, problemOf(errInternal))
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes())
	}
}
