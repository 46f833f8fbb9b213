package httpapi

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
)

const (
	// idHeader names a request in the logs of all who had to do with it. ChartMuseum
	// takes and sends it too.
	idHeader = "X-Request-Id"
	// idAttr is where log lines have it.
	idAttr = "requestID"
	// maxID is more than anybody's ids have.
	maxID = 128
)

// idOf is the id that the client gave its request, or a new one where there is none that
// can be repeated as it is.
func idOf(r *http.Request) string {
	if id := r.Header.Get(idHeader); id != "" && len(id) <= maxID && !strings.ContainsFunc(id, notInID) {
		return id
	}
	var id [8]byte
	binary.NativeEndian.PutUint64(id[:], rand.Uint64())
	return hex.EncodeToString(id[:])
}

// notInID leaves what UUIDs, trace ids, base64 and names of hosts are written with.
func notInID(r rune) bool { return notPlain(r) && !strings.ContainsRune(":+/=@", r) }
