package care

// News says that something was written or done about a home: not what, which
// is for who may see it to ask for.
type News struct {
	ID   int64 // grows
	Kind NewsKind
	Home string
	What string // the id of the visit, note or message that changed last
}

// NewsKind is what has changed.
type NewsKind string

// What screens of the staff are told of.
const (
	NewsVisit   NewsKind = "visit"
	NewsNote    NewsKind = "note"
	NewsMessage NewsKind = "message"
)

// Field is of whom one has to be allowed to see to hear of the change.
func (k NewsKind) Field() Field {
	switch k {
	case NewsVisit:
		return FieldVisits
	case NewsMessage:
		return FieldMessages
	}
	return FieldNotes
}
