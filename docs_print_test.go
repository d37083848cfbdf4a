package lykta

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The resident's guide is paper: a page in large letters that a browser prints
// on two sides, made of the Markdown and kept beside it. LYKTA_UPDATE_GUIDES=1
// makes it anew.
func TestGuidesToPrint(t *testing.T) {
	for _, language := range guideLanguages {
		made := printed(language, readText(t, filepath.Join(guides, language, "resident.md")))
		path := filepath.Join(guides, language, "resident.html")
		if os.Getenv("LYKTA_UPDATE_GUIDES") == "1" {
			if err := os.WriteFile(path, []byte(made), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if readText(t, path) != made {
			t.Errorf("%s is not what its Markdown says: LYKTA_UPDATE_GUIDES=1 go test -run GuidesToPrint .", path)
		}
	}
}

const printStyle = `
@page { size: A4; margin: 10mm 13mm; }
body { font: 14.5pt/1.28 Arial, "Liberation Sans", sans-serif; color: #000; background: #fff; max-width: 184mm; margin: 0 auto; }
h1 { font-size: 25pt; margin: 0 0 1mm; }
h2 { font-size: 17pt; margin: 3.5mm 0 1mm; break-after: avoid; }
p, ul { margin: 0 0 1.8mm; }
ul { padding-left: 6mm; }
img { float: right; width: 78mm; margin: 0 0 2mm 5mm; border: 1px solid #777; }
table { border-collapse: collapse; width: 100%; margin: 0 0 2mm; break-inside: avoid; }
th, td { border: 1px solid #777; padding: 0.8mm 2mm; text-align: left; vertical-align: top; }
@media screen { body { padding: 5mm; overflow-wrap: anywhere; } }
@media screen and (max-width: 640px) { img { float: none; width: calc(100% - 2px); margin: 0 0 3mm; } }
`

var (
	printPicture = regexp.MustCompile(`^!\[([^\]]*)\]\(([^)]*)\)$`)
	printBold    = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// printed makes a page of the Markdown that the resident's guide uses: headings,
// paragraphs, lists, tables, bold words and pictures.
func printed(language, text string) string {
	title, _, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n",
		language, html.EscapeString(title), printStyle)
	for _, block := range strings.Split(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(block, "\n")
		switch first := lines[0]; {
		case strings.HasPrefix(first, "## "):
			fmt.Fprintf(&b, "<h2>%s</h2>\n", inline(first[3:]))
		case strings.HasPrefix(first, "# "):
			fmt.Fprintf(&b, "<h1>%s</h1>\n", inline(first[2:]))
		case strings.HasPrefix(first, "- "):
			b.WriteString("<ul>\n")
			for _, line := range lines {
				fmt.Fprintf(&b, "<li>%s</li>\n", inline(strings.TrimPrefix(line, "- ")))
			}
			b.WriteString("</ul>\n")
		case strings.HasPrefix(first, "|"):
			b.WriteString("<table>\n")
			for i, line := range lines {
				cell := "td"
				if i == 0 {
					cell = "th"
				} else if i == 1 {
					continue // the line between head and rows
				}
				b.WriteString("<tr>")
				for part := range strings.SplitSeq(strings.Trim(line, "| "), "|") {
					fmt.Fprintf(&b, "<%s>%s</%[1]s>", cell, inline(strings.TrimSpace(part)))
				}
				b.WriteString("</tr>\n")
			}
			b.WriteString("</table>\n")
		default:
			if m := printPicture.FindStringSubmatch(first); m != nil {
				fmt.Fprintf(&b, "<img src=\"%s\" alt=\"%s\">\n", html.EscapeString(m[2]), html.EscapeString(m[1]))
				continue
			}
			fmt.Fprintf(&b, "<p>%s</p>\n", inline(block))
		}
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.String()
}

func inline(text string) string {
	return printBold.ReplaceAllString(html.EscapeString(text), "<strong>$1</strong>")
}
