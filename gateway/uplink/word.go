package uplink

import "github.com/lykta/lykta/devices/wire"

// maxWords is how many words of a call wait for the network: seconds of it.
const maxWords = 64

// Say gives the connection what the home says of a call. It does not block.
// false says that nobody will hear it: there is no connection, or it takes too
// little. true does not say that somebody did: a word is not kept beyond its
// connection, because what is late is of no use.
func (c *Client) Say(w wire.CallWord) bool {
	c.mu.Lock()
	if !c.connected || len(c.words) == maxWords {
		c.mu.Unlock()
		return false
	}
	c.words = append(c.words, w)
	c.mu.Unlock()
	signal(c.queued)
	return true
}

// connect tells that a connection came or went. The words of the last one are
// forgotten.
func (c *Client) connect(on bool) {
	c.mu.Lock()
	c.connected, c.words = on, nil
	c.mu.Unlock()
	c.opt.Online(on)
}

func (c *Client) takeWord() (wire.CallWord, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.words) == 0 {
		return wire.CallWord{}, false
	}
	w := c.words[0]
	c.words = c.words[1:]
	return w, true
}
