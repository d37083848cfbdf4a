package care

import "github.com/lykta/lykta/devices/wire"

// Holding is what a gateway has said that it has of what it was given; Holds
// nil is one that does not say, and may have lost anything.
type Holding struct {
	Gateway string
	Holds   *wire.Holds
}

// Lack is what a gateway does not have of what it was given last, and was not
// just sent.
type Lack struct {
	Configuration, Screen bool
	// Ahead says that it has a newer configuration than is known here, as after
	// the cloud's database was put back to an earlier day. It is left its own:
	// what its buttons mean is better known there.
	Ahead bool
	// Unnoted says that it is not noted yet how far ahead it is.
	Unnoted bool
}
