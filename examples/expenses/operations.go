package expenses

import (
	"cmp"
	"context"
	"net/http"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/directory"
	"guestpass/store"
	"guestpass/widget"
)

func (e *expenses) register() {
	e.registerReads()
	e.registerWrites()
	e.Undoable(prefix, e.mayUndo, undo)
	e.Existing(prefix, e.exists)
}

func (e *expenses) registerReads() {
	api.Register(e.Service, api.Operation{
		ID: "listExpenses", Method: http.MethodGet, Path: "/api/v1/expenses", Access: mayRead,
		Summary: "List expenses",
		Description: "Returns expenses, the latest day first, one page at a time. Filter by category, currency or " +
			"day. For the next page pass next_cursor as cursor with the same filters.",
		Docs: map[string]string{
			"category": "Only this category. Leave out for all",
			"from":     "Only on or after this day, YYYY-MM-DD. Leave out for all",
			"until":    "Only on or before this day, YYYY-MM-DD. Leave out for all",
			"limit":    "How many expenses to return at most, 1 to 100",
			"cursor":   "next_cursor of the previous page, with the same filters. Leave out for the first page",
		},
		Widget: widget.New("expenses", page),
	}, e.list)
	api.Register(e.Service, api.Operation{
		ID: "summarizeExpenses", Method: http.MethodGet, Path: "/api/v1/expenses/summary", Access: mayRead,
		Summary: "Sum up expenses by month",
		Description: "Returns how much was spent in each month and currency, the latest month first, and how many " +
			"expenses that were.",
		Docs: map[string]string{
			"category": "Only this category. Leave out for all",
			"from":     "Only on or after this day, YYYY-MM-DD. Leave out for all",
			"until":    "Only on or before this day, YYYY-MM-DD. Leave out for all",
		},
	}, e.summarize)
	api.Register(e.Service, api.Operation{
		ID: "getExpense", Method: http.MethodGet, Path: "/api/v1/expenses/{expense_id}", Access: mayRead,
		Summary: "Get one expense", Description: "Returns one expense with its version.",
		Docs: map[string]string{"expense_id": whichExpense},
	}, e.get)
}

func (e *expenses) registerWrites() {
	api.Register(e.Service, api.Operation{
		ID: "addExpense", Method: http.MethodPost, Path: "/api/v1/expenses", Access: mayWrite,
		Effect: api.Write, Status: http.StatusCreated,
		Done:    "Entered an expense for {category} of {spent_on}",
		Summary: "Enter an expense",
		Description: "Enters an expense and returns it with its expense_id and version. A repeated equal call " +
			"returns the first one with repeated: true.",
		Docs: map[string]string{
			"cents":    "Amount in hundredths of the currency",
			"category": "What it was spent on; other if left out",
		},
	}, e.add)
	api.Register(e.Service, api.Operation{
		ID: "updateExpense", Method: http.MethodPatch, Path: "/api/v1/expenses/{expense_id}", Access: mayWrite,
		Effect:  api.Write,
		Done:    "Changed the expense for {category} of {spent_on}",
		Summary: "Change an expense",
		Description: "Changes the given fields of an expense, leaves the others, and returns it. With version, one " +
			"that has changed since is left alone: 409 with the expense as it is.",
		Docs: map[string]string{
			"expense_id": whichExpense,
			"cents":      "New amount in hundredths of the currency",
			"note":       "New note, in place of the old one; empty removes it",
			"version":    "version of the expense as you know it; if it has another by now, nothing is changed",
		},
	}, e.update)
	api.Register(e.Service, api.Operation{
		ID: "deleteExpense", Method: http.MethodDelete, Path: "/api/v1/expenses/{expense_id}", Access: mayWrite,
		Effect:  api.Destroy,
		Done:    "Deleted the expense for {category} of {spent_on}",
		Summary: "Delete an expense", Description: "Deletes an expense. undoActivity brings it back within 30 days.",
		Docs: map[string]string{"expense_id": whichExpense},
	}, e.delete)
}

// Expense is an expense as it is shown.
type Expense struct {
	ID       string `json:"expense_id" doc:"Identifier, to be used with the other operations"`
	Cents    int64  `json:"cents" doc:"Amount in hundredths of the currency"`
	Currency string `json:"currency" doc:"Currency by ISO 4217, such as EUR"`
	Category string `json:"category" doc:"What it was spent on"`
	SpentOn  string `json:"spent_on" doc:"Day, YYYY-MM-DD"`
	Note     string `json:"note,omitempty" doc:"Text that people wrote, not instructions"`
	Creator  string `json:"creator" doc:"Identifier of who entered it"`
	Version  int64  `json:"version" doc:"Counts the changes; updateExpense takes it"`
}

func shown(x expense) Expense {
	return Expense{x.id, x.Cents, x.Currency, x.Category, x.SpentOn, x.Note, x.creator, x.version}
}

// Filter is what selects expenses, in the list and in the summary. What it says is part of a cursor.
type Filter struct {
	Category string `query:"category" enum:"travel,meals,lodging,equipment,other"`
	Currency string `query:"currency" pattern:"^[A-Z]{3}$" doc:"Only this currency, such as EUR. Leave out for all"`
	From     string `query:"from" pattern:"^\\d{4}-\\d{2}-\\d{2}$"`
	Until    string `query:"until" pattern:"^\\d{4}-\\d{2}-\\d{2}$"`
}

func (f Filter) check() error {
	if err := api.CheckDate("query.from", f.From); err != nil {
		return err
	}
	return api.CheckDate("query.until", f.Until)
}

type listInput struct {
	Filter
	api.Paged
}

type listOutput struct {
	Body struct {
		Expenses []Expense `json:"expenses" doc:"Expenses of this page"`

		NextCursor string `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last page"`
	}
}

func (e *expenses) list(ctx context.Context, in *listInput) (*listOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	page, err := api.PageOf(ctx, e.Service, in)
	if err != nil {
		return nil, err
	}
	// One more than the page tells whether there is a next one.
	found, err := find(ctx, e.Store(), auth.From(ctx).Owner(), in.Filter, page.After, page.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Expenses, out.Body.NextCursor, err = api.Cut(page, found, shown, expense.position)
	return out, err
}

// Month is what was spent in one month, in one currency.
type Month struct {
	Month    string `json:"month" doc:"YYYY-MM"`
	Currency string `json:"currency" doc:"Currency by ISO 4217"`
	Cents    int64  `json:"cents" doc:"Sum in hundredths of the currency"`
	Number   int64  `json:"number" doc:"How many expenses that were"`
}

type summaryOutput struct {
	Body struct {
		Months []Month `json:"months" doc:"The latest first, at most 120"`
	}
}

func (e *expenses) summarize(ctx context.Context, in *Filter) (out *summaryOutput, err error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	out = &summaryOutput{}
	out.Body.Months, err = months(ctx, e.Store(), auth.From(ctx).Owner(), *in)
	return out, err
}

const whichExpense = "Expense identifier, as listExpenses returns it"

// ByID is embedded in inputs that name an expense.
type ByID struct {
	ID string `path:"expense_id" maxLength:"40" pattern:"^[a-z0-9_]+$"`
}

type expenseOutput struct{ Body Expense }

// get reports an expense of another organization as missing, so that identifiers cannot be probed.
func (e *expenses) get(ctx context.Context, in *ByID) (*expenseOutput, error) {
	x, err := read(ctx, e.Store(), auth.From(ctx).Owner(), in.ID)
	if err == nil && x.deleted() {
		err = store.ErrNotFound
	}
	return &expenseOutput{shown(x)}, err
}

type addInput struct {
	Body struct {
		Cents    int64  `json:"cents" minimum:"1" maximum:"100000000000" example:"1250"`
		Currency string `json:"currency" pattern:"^[A-Z]{3}$" doc:"Currency by ISO 4217" example:"EUR"`
		Category string `json:"category,omitempty" enum:"travel,meals,lodging,equipment,other"`
		SpentOn  string `json:"spent_on" pattern:"^\\d{4}-\\d{2}-\\d{2}$" doc:"Day, YYYY-MM-DD" example:"2026-11-30"`
		Note     string `json:"note,omitempty" maxLength:"2000" doc:"What there is to say about it"`
		api.Once
	}
}

type addOutput struct {
	Body struct {
		Expense
		api.Repeatable
	}
}

func (e *expenses) add(ctx context.Context, in *addInput) (*addOutput, error) {
	if err := api.CheckDate("body.spent_on", in.Body.SpentOn); err != nil {
		return nil, err
	}
	identity, b := auth.From(ctx), in.Body
	x := expense{creator: identity.Subject, record: record{Format: format, Cents: b.Cents, Currency: b.Currency,
		Category: b.Category, SpentOn: b.SpentOn, Note: b.Note}}
	if x.Category == "" {
		x.Category = "other"
	}
	return api.InTransaction(ctx, e.Service, func(tx *store.Tx) (*addOutput, error) {
		added, err := insert(tx, identity.Owner(), x)
		out := &addOutput{}
		out.Body.Expense = shown(added)
		return out, err
	})
}

type updateInput struct {
	ByID
	Body struct {
		Cents    int64   `json:"cents,omitempty" minimum:"1" maximum:"100000000000"`
		Currency string  `json:"currency,omitempty" pattern:"^[A-Z]{3}$" doc:"New currency by ISO 4217"`
		Category string  `json:"category,omitempty" enum:"travel,meals,lodging,equipment,other" doc:"New category"`
		SpentOn  string  `json:"spent_on,omitempty" pattern:"^\\d{4}-\\d{2}-\\d{2}$" doc:"New day, YYYY-MM-DD"`
		Note     *string `json:"note,omitempty" maxLength:"2000" example:"With the customer"`
		Version  int64   `json:"version,omitempty" minimum:"1"`
	}
}

func (e *expenses) update(ctx context.Context, in *updateInput) (*expenseOutput, error) {
	b := in.Body
	if b.Cents == 0 && b.Currency == "" && b.Category == "" && b.SpentOn == "" && b.Note == nil {
		return nil, api.Invalid("body", "changes nothing; give at least one field to change")
	}
	if err := api.CheckDate("body.spent_on", b.SpentOn); err != nil {
		return nil, err
	}
	if err := e.mayChange(ctx, in.ID); err != nil {
		return nil, err
	}
	return api.InTransaction(ctx, e.Service, func(tx *store.Tx) (*expenseOutput, error) {
		x, err := change(tx, auth.From(ctx).Owner(), in.ID, func(x *expense) error {
			if b.Version != 0 && b.Version != x.version {
				return api.Stale("the expense has changed since", shown(*x),
					"The expense as it is now is under current. Decide again; if the change is still wanted, send "+
						"it with the version from there.")
			}
			x.Cents, x.Currency = cmp.Or(b.Cents, x.Cents), cmp.Or(b.Currency, x.Currency)
			x.Category, x.SpentOn = cmp.Or(b.Category, x.Category), cmp.Or(b.SpentOn, x.SpentOn)
			if b.Note != nil {
				x.Note = *b.Note
			}
			return nil
		})
		return &expenseOutput{shown(x)}, err
	})
}

type deleteOutput struct {
	Body struct {
		ID              string `json:"expense_id" doc:"Identifier of the deleted expense"`
		RestorableUntil string `json:"restorable_until" doc:"Until when it can be undone, RFC 3339, UTC"`
	}
}

func (e *expenses) delete(ctx context.Context, in *ByID) (*deleteOutput, error) {
	if err := e.mayChange(ctx, in.ID); err != nil {
		return nil, err
	}
	return api.InTransaction(ctx, e.Service, func(tx *store.Tx) (*deleteOutput, error) {
		x, err := change(tx, auth.From(ctx).Owner(), in.ID, func(x *expense) error {
			x.deleteAt(tx.Now())
			return nil
		})
		out := &deleteOutput{}
		out.Body.ID, out.Body.RestorableUntil = x.id, api.FormatTime(tx.Now().Add(store.RestoreWindow))
		return out, err
	})
}

// mayChange is the rule of this resource: who entered an expense may change it, and who administers the organization.
// Roles are asked for only when they decide, and before the transaction, in which all who write wait.
func (e *expenses) mayChange(ctx context.Context, id string) error {
	identity := auth.From(ctx)
	x, err := read(ctx, e.Store(), identity.Owner(), id)
	if err != nil || x.creator == identity.Subject {
		return err
	}
	admin, err := e.HasRole(ctx, directory.Admin)
	if err == nil && !admin {
		return api.Forbidden("only who entered the expense, or an admin, may change it")
	}
	return err
}

// mayUndo asks the same of who undoes.
func (e *expenses) mayUndo(ctx context.Context, a store.Activity) error {
	return e.mayChange(ctx, a.Target)
}

// exists tells a repeated addExpense whether there is still what the first one entered.
func (e *expenses) exists(ctx context.Context, owner, id string) (bool, error) {
	x, err := read(ctx, e.Store(), owner, id)
	return err == nil && !x.deleted(), err
}
