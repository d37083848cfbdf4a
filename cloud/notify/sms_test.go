package notify_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lykta/lykta/cloud/notify"
)

func TestE164(t *testing.T) {
	for number, want := range map[string]bool{
		"+46701234567": true, "+4670123": true, "+123456789012345": true, "+1234567": true,
		"": false, "+": false, "0701234567": false, "+0701234567": false, "+123456": false, "+1234567890123456": false,
		"+46 701234567": false, "+46-701234567": false, "46701234567": false, "+4670123456७": false, "++46701234567": false, "+46701234567\n": false,
	} {
		if notify.E164(number) != want {
			t.Errorf("E164(%q) is %v", number, !want)
		}
	}
}

func TestParts(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"", 1}, {strings.Repeat("å", 160), 1}, {strings.Repeat("å", 161), 2}, {strings.Repeat("x", 306), 2}, {strings.Repeat("x", 307), 3},
		{strings.Repeat("€", 80), 1}, {strings.Repeat("€", 81), 2}, {strings.Repeat("ć", 70), 1}, {strings.Repeat("ć", 71), 2}, {strings.Repeat("ć", 135), 3},
		{strings.Repeat("👵", 35), 1}, {strings.Repeat("👵", 36), 2}, {"{}[]~\\|^€\n", 1},
	} {
		if got := notify.Parts(c.text); got != c.want {
			t.Errorf("%.20q of %d characters takes %d SMS, want %d", c.text, utf8.RuneCountInString(c.text), got, c.want)
		}
	}
}

func TestSMS(t *testing.T) {
	family := "👩‍👩‍👧"
	for name, c := range map[string]struct {
		m     notify.Message
		want  string
		parts int
	}{
		"all of it":               {notify.Message{Title: "Larm", Text: "Öppna appen", URL: "https://l.example/7"}, "Larm\nÖppna appen\nhttps://l.example/7", 1},
		"the title only once":     {notify.Message{Title: "Larm", Text: "Larm från hallen"}, "Larm från hallen", 1},
		"text alone":              {notify.Message{Text: "Öppna"}, "Öppna", 1},
		"plain signs":             {notify.Message{Text: "Ring – ”nu”… it’s\u00a0on"}, `Ring - "nu"... it's on`, 1},
		"an emoji stays":          {notify.Message{Text: "Hjälp 👵🏽"}, "Hjälp 👵🏽", 1},
		"control signs go":        {notify.Message{Title: "a\r\nb\tc\x00d", Text: "e\x1b[0m"}, "a\nb cd\ne[0m", 1},
		"a long text is cut":      {notify.Message{Text: strings.Repeat("å", 1000), URL: "https://l.example/7"}, strings.Repeat("å", 459-3-20) + "...\nhttps://l.example/7", 3},
		"between characters":      {notify.Message{Text: strings.Repeat(family, 100)}, strings.Repeat(family, (201-3)/8) + "...", 3},
		"a mark is with its sign": {notify.Message{Text: strings.Repeat("e\u0301", 500)}, strings.Repeat("e\u0301", (201-3)/2) + "...", 3},
		"flags are of two halves": {notify.Message{Text: strings.Repeat("🇸🇪", 100)}, strings.Repeat("🇸🇪", (201-3)/4) + "...", 3},
		"an endless address":      {notify.Message{Text: "Hjälp", URL: "https://" + strings.Repeat("x", 500)}, "Hjälp", 1},
	} {
		got := notify.SMS(c.m)
		if got != c.want || notify.Parts(got) != c.parts {
			t.Errorf("%s: %q in %d parts, want %q in %d", name, got, notify.Parts(got), c.want, c.parts)
		}
	}
}

func FuzzSMS(f *testing.F) {
	f.Add("Larm", "Någon behöver hjälp 👵🏽", "https://l.example/7")
	f.Add("\u0301", "\u200d\u200d", "")
	f.Fuzz(func(t *testing.T, title, text, url string) {
		if !utf8.ValidString(title) || !utf8.ValidString(text) || !utf8.ValidString(url) {
			t.Skip("Check refuses it")
		}
		got := notify.SMS(notify.Message{Title: title, Text: text, URL: url})
		if !utf8.ValidString(got) || notify.Parts(got) > notify.MaxParts || notify.Plain(got) != got {
			t.Errorf("%q", got)
		}
		if line := notify.Line(url); notify.Parts(line) == 1 && !strings.HasSuffix(got, line) {
			t.Errorf("%q is without %q", got, line)
		}
	})
}
