package postgrestest_test

import (
	"database/sql"
	"testing"

	"guestpass/internal/postgrestest"
)

// What was committed before a crash is there after it, through the same pool.
func TestServerIsKilledAndRestarted(t *testing.T) {
	server, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	db, err := sql.Open("pgx", server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Exec("CREATE TABLE kept AS SELECT 42 AS n"); err != nil {
		t.Fatal(err)
	}

	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRow("SELECT n FROM kept").Scan(&n); err == nil {
		t.Fatal("a query succeeded while the server was gone")
	}

	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow("SELECT n FROM kept").Scan(&n); err != nil || n != 42 {
		t.Fatalf("after the restart: %d, %v", n, err)
	}
}
