package notify

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxParts is how many SMS one message may take. One is the aim; an alert is
// rather told in three than without its end.
const MaxParts = 3

// Lengths of an SMS: 140 bytes, of which a part of a longer message gives 6 to
// its place in the whole (3GPP TS 23.040, 9.2.3.24.1).
const (
	gsmAlone, gsmPart = 160, 153 // septets
	ucsAlone, ucsPart = 70, 67   // UTF-16 code units
)

// The default alphabet and its extension, two septets each (3GPP TS 23.038,
// 6.2.1).
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "^{}\\[~]|€"
)

// E164 reports whether number is an international one: + and 7 to 15 digits
// (ITU-T E.164).
func E164(number string) bool {
	digits, plus := strings.CutPrefix(number, "+")
	if !plus || len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// SMS is m as a text message: title, text and address on lines of their own,
// in as few parts as possible without leaving anything out, and at most
// MaxParts. Typographic signs give way to plain ones, because one of them
// would halve the room. What is too long loses the end of its text, never the
// address, and is never cut inside a character.
func SMS(m Message) string {
	title, text := strings.TrimSpace(simplify(m.Title)), strings.TrimSpace(simplify(m.Text))
	end := Line(m.URL)
	if strings.HasPrefix(text, title) {
		title = ""
	}
	body := join(title, text)
	body = roughly(body, 2000) // more than MaxParts hold, in any alphabet
	fits := func(s string) bool { return Parts(join(s, end)) <= MaxParts }
	if !fits("") {
		end = "" // an address that long is of no use here
	}
	if !fits(body) {
		body = strings.TrimSpace(cut(body, func(s string) bool { return fits(s + "...") })) + "..."
	}
	return join(body, end)
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

// Parts returns how many SMS a text takes: 1 also when it is empty.
func Parts(text string) int {
	n, alone, part := septets(text), gsmAlone, gsmPart
	if n < 0 {
		n, alone, part = len(utf16.Encode([]rune(text))), ucsAlone, ucsPart
	}
	if n <= alone {
		return 1
	}
	return (n + part - 1) / part
}

// septets returns the length in the default alphabet, or -1 when a character
// is not in it and the text goes as UCS-2.
func septets(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			n++
		case strings.ContainsRune(gsmExtended, r):
			n += 2
		default:
			return -1
		}
	}
	return n
}

func simplify(s string) string {
	return strings.NewReplacer("’", "'", "‘", "'", "´", "'", "`", "'", "”", `"`, "“", `"`, "„", `"`, "»", `"`, "«", `"`,
		"–", "-", "—", "-", "−", "-", "…", "...", "•", "-", "\u00a0", " ", "\u202f", " ", "\u2009", " ").Replace(Plain(s))
}

// roughly returns at most n bytes of s, so that the cutting between characters
// has little to do.
func roughly(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// cut returns the longest beginning of s, by whole characters as a reader sees
// them, that fits. What is shorter than one that fits must fit too.
func cut(s string, fits func(string) bool) string {
	ends := []int{len(s)} // descending, down to 0
	for end := len(s); end > 0; ends = append(ends, end) {
		end = lastCharacter(s[:end])
	}
	i := sort.Search(len(ends)-1, func(i int) bool { return fits(s[:ends[i]]) })
	return s[:ends[i]]
}

// lastCharacter returns where the last character of s begins, with the marks,
// skin tones and joined emoji that belong to it: enough of UAX #29 for that.
func lastCharacter(s string) int {
	for end := len(s); end > 0; {
		r, size := utf8.DecodeLastRuneInString(s[:end])
		end -= size
		before, _ := utf8.DecodeLastRuneInString(s[:end])
		switch {
		case unicode.In(r, unicode.M) || r == '\u200d' || r >= 0x1f3fb && r <= 0x1f3ff || r >= 0xe0020 && r <= 0xe007f:
		case end > 0 && before == '\u200d':
		case flag(r) && flag(before) && flagsBefore(s[:end])%2 == 1:
		default:
			return end
		}
	}
	return 0
}

// flag reports whether r is half of a flag.
func flag(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

func flagsBefore(s string) int {
	n := 0
	for {
		r, size := utf8.DecodeLastRuneInString(s)
		if !flag(r) {
			return n
		}
		n, s = n+1, s[:len(s)-size]
	}
}
