package certificates_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"guestpass/internal/certificates"
)

// An authority is Let's Encrypt's own server for tests, as a process of its own.
type authority struct {
	directory string
	roots     *x509.CertPool // of what it certifies
	http      *http.Client   // that trusts the authority's own server
}

// buildPebble builds it, once.
var buildPebble = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "pebble-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, "pebble")
	build := exec.Command("go", "build", "-C", "../../scripts/pebble", "-o", program,
		"github.com/letsencrypt/pebble/v2/cmd/pebble")
	build.Stderr = os.Stderr
	return program, build.Run()
})

// startAuthority starts one that proves hosts at the two ports, and finds every host on this machine. refused is how
// many of a hundred of its own nonces it refuses.
func startAuthority(t *testing.T, httpPort, tlsPort int, refused string) *authority {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it builds an authority")
	}
	program, err := buildPebble()
	if err != nil {
		t.Fatal(err)
	}
	own := selfSigned(t, time.Now().Add(time.Hour), "127.0.0.1")
	files := own.write(t, t.TempDir())
	listen, manage := freePort(t), freePort(t)
	settings, _ := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": "127.0.0.1:" + listen, "managementListenAddress": "127.0.0.1:" + manage,
		"certificate": files.Certificate, "privateKey": files.Key, "httpPort": httpPort, "tlsPort": tlsPort,
		"profiles": map[string]any{"default": map[string]any{"description": "as usual", "validityPeriod": 7776000}},
	}})
	config := filepath.Join(t.TempDir(), "pebble.json")
	if err := os.WriteFile(config, settings, 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "-config", config, "-dnsserver", everyHostIsHere(t))
	server.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT="+refused)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	pool := x509.NewCertPool()
	pool.AddCert(own.pair.Leaf)
	a := &authority{directory: "https://127.0.0.1:" + listen + "/dir", roots: x509.NewCertPool(),
		http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}}
	for root := a.root(t, manage); !a.roots.AppendCertsFromPEM(root); root = a.root(t, manage) {
		t.Log("the authority does not answer yet")
	}
	return a
}

// root asks for the authority's certificate until its server answers, within the test's time.
func (a *authority) root(t *testing.T, port string) []byte {
	t.Helper()
	for {
		response, err := a.http.Get("https://127.0.0.1:" + port + "/roots/0")
		if err != nil {
			if t.Context().Err() != nil {
				t.Fatal(err)
			}
			continue
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}

// everyHostIsHere answers questions for names, over TCP, with the address of this machine.
func everyHostIsHere(t *testing.T) string {
	t.Helper()
	listener, _ := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for answerName(conn) == nil {
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// answerName answers one question (RFC 1035, section 4.2.2).
func answerName(conn io.ReadWriter) error {
	var length uint16
	if err := binary.Read(conn, binary.BigEndian, &length); err != nil {
		return err
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(conn, text); err != nil {
		return err
	}
	var question dnsmessage.Message
	if err := question.Unpack(text); err != nil {
		return err
	}
	answer := dnsmessage.Message{Header: dnsmessage.Header{ID: question.ID, Response: true},
		Questions: question.Questions}
	for _, asked := range question.Questions {
		if asked.Type == dnsmessage.TypeA {
			answer.Answers = append(answer.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: asked.Name, Type: asked.Type, Class: asked.Class, TTL: 60},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}})
		}
	}
	packed, err := answer.AppendPack(make([]byte, 2, 512))
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(packed, uint16(len(packed)-2)) // #nosec G115 -- a test's few bytes
	_, err = conn.Write(packed)
	return err
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// signed is a certificate with its key.
type signed struct{ pair tls.Certificate }

func selfSigned(t *testing.T, until time.Time, host string) signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(until.UnixNano()), Subject: pkix.Name{CommonName: host},
		NotBefore: until.Add(-90 * 24 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signed{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
}

// write writes both files.
func (s signed) write(t *testing.T, folder string) certificates.Files {
	t.Helper()
	files := certificates.Files{Certificate: filepath.Join(folder, "cert.pem"), Key: filepath.Join(folder, "key.pem")}
	for name, content := range map[string][]byte{files.Certificate: s.certificatePEM(), files.Key: s.keyPEM(t)} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func (s signed) certificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.pair.Certificate[0]})
}

func (s signed) keyPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
