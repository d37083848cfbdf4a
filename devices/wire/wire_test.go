package wire

import "testing"

func TestTopicsRoundTrip(t *testing.T) {
	topic := Topic("gw-kc", LeafAlarm)
	gw, leaf, ok := ParseTopic(topic)
	if !ok || gw != "gw-kc" || leaf != LeafAlarm {
		t.Fatalf("ParseTopic(%q) = %q %q %v", topic, gw, leaf, ok)
	}
}
