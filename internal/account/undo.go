package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"guestpass/api"
	"guestpass/directory"
	"guestpass/internal/form"
	"guestpass/store"
)

// undoing is what the page says that asks whether to undo, and the one that says why that was not possible.
type undoing struct {
	Activity activity
	Form     string
	Made     bool // there was nothing before: undoing takes it away
	Taken    bool // it was taken away: undoing brings it back

	Failure string    // key of the words that say what stands in the way; "" for nothing
	Says    string    // the reason in the words of the resource
	Later   *activity // what was done to it later in the person's own name
	At      activity  // what was done to it later by anybody: only when
}

// AskUndo is GET /account/undo.
func (a *Account) AskUndo(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(a.owned(r), pageTimeout)
	defer cancel()
	query, err := form.Parse(r.URL.RawQuery)
	if err != nil || len(query["activity"]) != 1 || !changeForm.MatchString(query.Get("activity")) {
		a.refuse(w, r, "account.bad_address", errBadAddress)
		return
	}
	shown := session(r)
	a.show(ctx, w, r, shown, func(ctx context.Context, v *view, person directory.Person) error {
		record := a.record(ctx, person)
		row, err := record.one(ctx, query.Get("activity"))
		if err != nil {
			return err
		}
		if v.Undoing, err = record.undoing(ctx, row); err != nil || v.Undoing.Failure != "" {
			return err
		}
		f := a.authorityOf(person, shown)
		f.Activity = row.ID
		v.Undoing.Form = a.sign(toUndo, f)
		return nil
	})
}

// one returns an activity in the person's own name.
func (r record) one(ctx context.Context, id string) (store.Activity, error) {
	row, err := r.options.Store.Activity(ctx, r.owner, r.subject, id)
	if errors.Is(err, store.ErrNotFound) {
		err = errNoChange
	}
	return row, cmp.Or(err, r.err)
}

// undoing says what undoing an activity does, or what stands in the way as far as the record tells.
func (r record) undoing(ctx context.Context, row store.Activity) (*undoing, error) {
	u := &undoing{Activity: r.named(ctx, row), Made: row.Before == "", Taken: row.Removes}
	service := r.options.Service
	switch {
	case service.TooLate(row):
		u.Failure = "account.undo_too_late"
	case !service.CanUndoFor() || !service.Undoes(row):
		u.Failure = "account.undo_cannot"
	}
	latest, err := r.options.Store.LatestOf(ctx, r.owner, row.Target)
	if later := latest[row.Target]; err == nil && u.Failure == "" && later.ID != row.ID {
		u.Failure, u.At = "account.undo_later_other", activity{At: later.At}
		if later.Subject == r.subject {
			told := r.named(ctx, later)
			u.Failure, u.Later = "account.undo_later", &told
		}
	}
	return u, err
}

// named is tell with the names of apps.
func (r record) named(ctx context.Context, row store.Activity) activity {
	list := []activity{r.tell(ctx, row)}
	return named(list, r.options.Connections.Apps(ctx, clientsOf(list)))[0]
}

// Undo is POST /account/undo. It needs to know from Stytch whose session it is: it gives, and does not only take away.
func (a *Account) Undo(w http.ResponseWriter, r *http.Request) {
	if err := a.checkOrigin(r); err != nil {
		a.refuse(w, r, "account.undo_refused", err)
		return
	}
	shown := session(r)
	f, err := a.receive(w, r, toUndo, shown)
	if err != nil {
		a.refuse(w, r, "account.undo_refused", err)
		return
	}
	// who leaves the page now has undone
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.owned(r)), pageTimeout)
	defer cancel()
	status, signedIn := 0, false
	v, err := a.view(ctx, shown, func(ctx context.Context, v *view, person directory.Person) (err error) {
		if signedIn = person.ID == f.Actor && person.Organization.ID == f.Organization; !signedIn {
			return nil
		}
		status, v.Undoing, err = a.record(ctx, person).undo(ctx, person, f.Activity)
		return err
	})
	switch {
	case errors.Is(err, errNoChange):
		a.refuse(w, r, "account.no_change", err)
	case err != nil:
		a.fail(w, r, "account.not_undone", "account.repeat", err)
	case !signedIn:
		a.refuse(w, r, "account.undo_refused", errNotSignedIn)
	case v.Undoing != nil:
		a.write(w, r, status, v)
	default:
		a.tellUndone(w, r, f, shown)
	}
}

// undo has the operation carried out that takes back changes, for a person without an app between. If it could not be,
// it says why, with the status.
func (r record) undo(ctx context.Context, person directory.Person, id string) (status int, u *undoing, err error) {
	row, err := r.one(ctx, id)
	if err != nil {
		return 0, nil, err
	}
	reply := r.options.Service.UndoFor(ctx, person.ID, person.Organization.ID, id)
	if reply.Status < http.StatusMultipleChoices {
		return reply.Status, nil, nil
	}
	if u, err = r.undoing(ctx, row); err != nil {
		return 0, nil, err
	}
	if u.Later != nil && u.Later.row.RefersTo == id { // the button was pressed twice
		return http.StatusOK, nil, nil
	}
	var p api.Problem
	_ = json.Unmarshal(reply.Body, &p)
	switch reply.Status {
	case http.StatusConflict:
		if u.Failure == "" {
			u.Failure, u.Says = "account.undo_cannot", p.Detail
		}
	case http.StatusUnauthorized, http.StatusForbidden:
		reply.Status, u.Failure, u.Says = http.StatusForbidden, "account.undo_not_yours", p.Detail
	case http.StatusNotFound:
		u.Failure = "account.undo_gone"
	case http.StatusTooManyRequests:
		u.Failure = "account.undo_too_often"
	case http.StatusInsufficientStorage:
		u.Failure = "account.undo_no_room"
		if p.Quota != nil {
			u.Failure, u.Says = "account.undo_quota", p.Detail
		}
	case http.StatusServiceUnavailable:
		u.Failure = "account.undo_not_now"
	default:
		u.Failure, u.Says = "account.undo_failed", p.RequestID
	}
	return reply.Status, u, nil
}

// tellUndone leads to the list, which begins with the undo.
func (a *Account) tellUndone(w http.ResponseWriter, r *http.Request, f authority, shown shownSession) {
	a.headers.Set(w.Header())
	notice := a.sign(hasUndone, authority{Session: shown.digest(), Activity: f.Activity,
		Expires: a.options.Now().Add(noticeLifetime).Unix()})
	http.Redirect(w, r, everything+"&undone="+notice, http.StatusSeeOther)
}

// undone returns what this server has told a browser that it has taken back; nil for nothing.
func (a *Account) undone(ctx context.Context, query url.Values, shown shownSession,
	person directory.Person) *activity {
	f, ok := a.open(hasUndone, query.Get("undone"), shown)
	if !ok {
		return nil
	}
	r := a.record(ctx, person)
	row, err := r.one(ctx, f.Activity)
	if err != nil {
		return nil
	}
	told := r.named(ctx, row)
	return &told
}
