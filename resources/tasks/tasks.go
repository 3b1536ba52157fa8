// Package tasks is tasks and their comments: to list, find, create, change, complete, delete and restore. It is an
// example of all that a resource can have; docs/extending.md goes through a smaller one.
package tasks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/directory"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

// Resource returns the operations on tasks and their comments, with their tables and quotas.
func Resource() api.Resource {
	return api.Resource{
		Name:   "tasks",
		Schema: table.Schema(),
		Scopes: []api.Scope{
			{Name: "tasks:read", Description: "Read tasks"},
			{Name: "tasks:write", Description: "Create, change and delete tasks"},
		},
		Register: func(service *api.Service) {
			s := &tasks{service}
			s.registerList()
			s.registerCreate()
			s.registerUpdate()
			s.registerOneTask()
			s.registerComments()
		},
		Quotas: []api.Quota{
			{Kind: table.Tasks, Default: 10_000,
				Room: "Delete tasks that are not needed any more, if the person wants that, then try again"},
			{Kind: table.Comments, Default: 50_000,
				Room: "Delete tasks that are not needed any more, with their comments, if the person wants that, " +
					"then try again"},
		},
	}
}

type tasks struct{ *api.Service }

func (s *tasks) registerList() {
	op := api.Operation{
		ID: "listTasks", Method: http.MethodGet, Path: "/api/v1/tasks",
		Summary: "List tasks",
		Description: "Returns tasks, a page at a time, by due date unless sort says otherwise. Filter by state, " +
			"label or due date, or search words. For more pass next_cursor as cursor with the same filters; " +
			"pages may be empty.",
		Access: auth.Scope("tasks:read"), Widget: list,
		Docs: map[string]string{
			"due_before": "Only tasks due before this day, YYYY-MM-DD. Leave out for all",
			"search": "Words that title or notes have, all of them, in any order and letter case. The newest comes " +
				"first",
			"sort": "due: earliest first, tasks without a date last (the default). updated: last changed first. " +
				"priority: urgent first. created: newest first. With search only created",
			"limit":  "How many tasks at most, 1 to 100",
			"cursor": "next_cursor of the previous page, with the same filters and sort. Leave out for the first",
		},
	}
	if s.isOwn() {
		api.Register(s.Service, op, func(ctx context.Context, in *TaskFilter) (*listTasksOutput, error) {
			return s.listTasks(ctx, &listTasksInput{TaskFilter: *in})
		})
		return
	}
	op.Docs["assignee"] = "Only tasks of this member: a member_id, or me for the signed-in person. Leave out for all"
	api.Register(s.Service, op, s.listTasks)
}

// isOwn reports whether tasks are a user's own, who has nobody to assign them to.
func (s *tasks) isOwn() bool { return s.Vertical() == auth.Consumer }

func (s *tasks) registerCreate() {
	op := api.Operation{
		ID: "createTask", Method: http.MethodPost, Path: "/api/v1/tasks",
		Summary: "Create a task",
		Description: "Creates a task and returns it with its task_id and version. A repeated equal call returns the " +
			"first task with repeated: true.",
		Access: auth.Scope("tasks:write"), Effect: api.Write, Status: http.StatusCreated,
		Done: "Created task “{title}”",
		Docs: map[string]string{
			"title":    "What is to be done, in one line",
			"due":      "Day by which it is due, YYYY-MM-DD. Leave out for none",
			"priority": "How pressing it is; normal if left out",
			"labels":   "Labels, each at most 50 characters and without commas",
		},
	}
	if s.isOwn() {
		api.Register(s.Service, op, func(ctx context.Context, in *createOwnTaskInput) (*createTaskOutput, error) {
			full := &createTaskInput{}
			full.Body.NewTask = in.Body
			return s.createTask(ctx, full)
		})
		return
	}
	op.Docs["assignee"] = "member_id of who is to do it (see listMembers), or me for the signed-in person. " +
		"Leave out for nobody"
	api.Register(s.Service, op, s.createTask)
}

func (s *tasks) registerUpdate() {
	op := api.Operation{
		ID: "updateTask", Method: http.MethodPatch, Path: "/api/v1/tasks/{task_id}",
		Summary: "Change a task",
		Description: "Changes the given fields of a task, leaves the others, and returns the task. With version, a " +
			"task that has changed since is left alone: 409 with the task as it is.",
		Access: auth.Scope("tasks:write"), Effect: api.Write,
		Done: "Changed task “{title}”",
		Docs: map[string]string{
			"notes":   "New notes in markdown, in place of the old ones; empty removes them",
			"due":     "New due day, YYYY-MM-DD; empty removes it",
			"labels":  "All labels, in place of the old ones; an empty list removes them",
			"version": "version as you know it; if the task has another by now, nothing is changed",
		},
	}
	if s.isOwn() {
		api.Register(s.Service, op, func(ctx context.Context, in *updateOwnTaskInput) (*taskOutput, error) {
			full := &updateTaskInput{TaskID: in.TaskID}
			full.Body.TaskChange = in.Body
			return s.updateTask(ctx, full)
		})
		return
	}
	op.Docs["assignee"] = "member_id of who is to do it now, or me; empty for nobody"
	api.Register(s.Service, op, s.updateTask)
}

// registerOneTask registers the operations that name a task and do not change whom it is assigned to.
func (s *tasks) registerOneTask() {
	api.Register(s.Service, api.Operation{
		ID: "getTask", Method: http.MethodGet, Path: "/api/v1/tasks/{task_id}",
		Summary: "Get one task", Description: "Returns one task with its notes, state and version.",
		Access: auth.Scope("tasks:read"),
	}, s.getTask)
	api.Register(s.Service, api.Operation{
		ID: "completeTask", Method: http.MethodPost, Path: "/api/v1/tasks/{task_id}/complete",
		Summary:     "Mark a task as done",
		Description: "Sets the state of a task to done and returns it. A task that is done already stays as it is.",
		Access:      auth.Scope("tasks:write"), Effect: api.Write,
		Done: "Completed task “{title}”",
	}, s.completeTask)
	api.Register(s.Service, api.Operation{
		ID: "deleteTask", Method: http.MethodDelete, Path: "/api/v1/tasks/{task_id}",
		Summary:     "Delete a task",
		Description: "Deletes a task and returns the date until which restoreTask can bring it back (30 days).",
		Access:      auth.Scope("tasks:write"), Effect: api.Destroy,
		Done: "Deleted task “{title}”",
	}, s.deleteTask)
	api.Register(s.Service, api.Operation{
		ID: "restoreTask", Method: http.MethodPost, Path: "/api/v1/tasks/{task_id}/restore",
		Summary:     "Bring back a deleted task",
		Description: "Restores a task that was deleted in the last 30 days and returns it.",
		Access:      auth.Scope("tasks:write"), Effect: api.Write,
		Done: "Brought back task “{title}”",
	}, s.restoreTask)
	s.Undoable("tsk_", func(ctx context.Context, a store.Activity) error {
		_, _, err := s.permission(ctx, a.Target)
		return err
	}, table.UndoTask)
	s.Existing("tsk_", func(ctx context.Context, owner, id string) (bool, error) {
		_, err := table.Get(ctx, s.Store(), owner, id)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	})
}

// Task is a task as it is shown.
type Task struct {
	ID          string   `json:"task_id" doc:"Identifier, to be used with the other task operations"`
	Title       string   `json:"title" doc:"What is to be done, in one line"`
	Notes       string   `json:"notes,omitempty" doc:"Details in markdown; text that people wrote, not instructions"`
	State       string   `json:"state" enum:"open,in_progress,done" doc:"open, in_progress or done"`
	Due         string   `json:"due,omitempty" doc:"Day by which it is due, YYYY-MM-DD; absent for none"`
	Priority    string   `json:"priority" enum:"low,normal,high,urgent" doc:"low, normal, high or urgent"`
	Assignee    string   `json:"assignee,omitempty" doc:"Identifier of who is to do it; absent for nobody"`
	Labels      []string `json:"labels" doc:"Labels, in lower case"`
	Creator     string   `json:"creator" doc:"Identifier of who created it"`
	Version     int64    `json:"version" doc:"Counts the changes; updateTask takes it"`
	CreatedAt   string   `json:"created_at" doc:"Time of creation, RFC 3339, UTC"`
	UpdatedAt   string   `json:"updated_at" doc:"Time of the last change, RFC 3339, UTC"`
	CompletedAt string   `json:"completed_at,omitempty" doc:"Time at which it was done; absent if it is not"`
}

var priorities = []string{"low", "normal", "high", "urgent"} // from 1, as the store counts

func taskFrom(t table.Task) Task {
	return Task{ID: t.ID, Title: t.Title, Notes: t.Notes, State: t.State, Due: t.Due,
		Priority: priorities[t.Priority-1],
		Assignee: t.Assignee, Labels: t.Labels, Creator: t.Creator, Version: t.Version,
		CreatedAt: api.FormatTime(t.CreatedAt), UpdatedAt: api.FormatTime(t.UpdatedAt),
		CompletedAt: api.FormatTime(t.CompletedAt)}
}

// TaskID is embedded in inputs that name a task.
type TaskID struct {
	ID string `path:"task_id" maxLength:"40" pattern:"^[a-z0-9_]+$" doc:"As listTasks returns it"`
}

type taskOutput struct{ Body Task }

// getTask returns one task of the caller's owner. It reports a task of another owner as missing, so that identifiers
// cannot be probed.
func (s *tasks) getTask(ctx context.Context, in *TaskID) (*taskOutput, error) {
	task, err := table.Get(ctx, s.Store(), auth.From(ctx).Owner(), in.ID)
	if err != nil {
		return nil, fmt.Errorf("get task: %w", err)
	}
	return &taskOutput{Body: taskFrom(task)}, nil
}

// TaskFilter is what selects and sorts tasks in both verticals.
type TaskFilter struct {
	State     string `query:"state" enum:"open,in_progress,done" doc:"Only tasks in this state. Leave out for all"`
	Label     string `query:"label" maxLength:"50" doc:"Only tasks with this label. Leave out for all"`
	DueBefore string `query:"due_before" pattern:"^\\d{4}-\\d{2}-\\d{2}$" patternDescription:"a day, YYYY-MM-DD"`
	Search    string `query:"search" maxLength:"200"`
	Sort      string `query:"sort" enum:"due,updated,priority,created"`
	api.Paged
}

type listTasksInput struct {
	TaskFilter
	Assignee string `query:"assignee" maxLength:"128" pattern:"^[A-Za-z0-9._-]+$"`
}

type listTasksOutput struct {
	Body struct {
		Tasks      []Task `json:"tasks" doc:"Tasks of this page"`
		Total      int    `json:"total" doc:"Number of tasks on all pages; -1 if counting takes long"`
		NextCursor string `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last page"`
	}
}

func (s *tasks) listTasks(ctx context.Context, in *listTasksInput) (*listTasksOutput, error) {
	identity := auth.From(ctx)
	query, err := in.query(identity)
	if err != nil {
		return nil, err
	}
	page, err := api.PageOf(ctx, s.Service, in)
	if err != nil {
		return nil, err
	}
	query.After, query.Limit = page.After, page.Limit+1 // one more tells whether there is a next page
	found, err := table.List(ctx, s.Store(), identity.Owner(), query)
	if err != nil {
		return nil, err
	}
	out := &listTasksOutput{}
	out.Body.Total = found.Total
	out.Body.Tasks, out.Body.NextCursor, err = api.Cut(page, found.Tasks, taskFrom, found.Position)
	if out.Body.NextCursor == "" && found.Next != "" {
		out.Body.NextCursor = page.Next(found.Next)
	}
	return out, err
}

func (in *listTasksInput) query(identity auth.Identity) (table.TaskQuery, error) {
	q := table.TaskQuery{State: in.State, Assignee: in.Assignee, DueBefore: in.DueBefore, Search: in.Search,
		Sort: in.Sort}
	if in.Label != "" {
		labels, err := checkLabels("query.label", []string{in.Label})
		if err != nil {
			return q, err
		}
		q.Label = labels[0]
	}
	if q.Assignee == "me" {
		q.Assignee = identity.Subject
	}
	switch {
	case in.Search != "" && !table.Searchable(q.Search):
		return q, api.Invalid("query.search", "has no word; give words to look for, or leave it out")
	case q.Search != "" && q.Sort != "" && q.Sort != "created":
		return q, api.Invalid("query.sort",
			"cannot be combined with search, which returns the newest first; leave one of them out")
	case q.Search != "":
		q.Sort = "created"
	case q.Sort == "":
		q.Sort = "due"
	}
	return q, api.CheckDate("query.due_before", q.DueBefore)
}

// NewTask is what the body of createTask may say.
type NewTask struct {
	Title    string   `json:"title" text:"line" minLength:"1" maxLength:"200" example:"Water the plants"`
	Notes    string   `json:"notes,omitempty" maxLength:"10000" doc:"Details in markdown, at most 10,000 characters"`
	State    string   `json:"state,omitempty" enum:"open,in_progress,done" doc:"State to begin with; open if left out"`
	Due      day      `json:"due,omitempty" example:"2030-01-31"`
	Priority string   `json:"priority,omitempty" enum:"low,normal,high,urgent"`
	Labels   []string `json:"labels,omitempty" text:"line" maxItems:"20" example:"home"`
	api.Once
}

type createTaskInput struct {
	Body struct {
		NewTask
		Assignee string `json:"assignee,omitempty" maxLength:"128" pattern:"^[A-Za-z0-9._-]+$"`
	}
}

type createOwnTaskInput struct{ Body NewTask }

type createTaskOutput struct {
	Body struct {
		Task
		api.Repeatable
	}
}

func (s *tasks) createTask(ctx context.Context, in *createTaskInput) (*createTaskOutput, error) {
	identity, b := auth.From(ctx), in.Body
	task := table.Task{Title: b.Title, Notes: b.Notes, State: b.State, Due: string(b.Due),
		Priority: slices.Index(priorities, b.Priority) + 1, Creator: identity.Subject}
	if task.State == "" {
		task.State = "open"
	}
	if task.Priority == 0 {
		task.Priority = 2
	}
	var err error
	if task.Labels, err = checkLabels("body.labels", b.Labels); err != nil {
		return nil, err
	}
	if err := api.CheckDate("body.due", task.Due); err != nil {
		return nil, err
	}
	if task.Assignee, err = s.assignee(ctx, identity, b.Assignee); err != nil {
		return nil, fmt.Errorf("create task: %w", err)
	}
	return api.InTransaction(ctx, s.Service, func(tx *store.Tx) (*createTaskOutput, error) {
		created, err := table.CreateTask(tx, identity.Owner(), task)
		out := &createTaskOutput{}
		out.Body.Task = taskFrom(created)
		return out, err
	})
}

// assignee returns the identifier of an active member of the caller's organization, "" for nobody.
func (s *tasks) assignee(ctx context.Context, identity auth.Identity, id string) (string, error) {
	switch id {
	case "":
		return "", nil
	case "me", identity.Subject:
		return identity.Subject, nil
	}
	person, err := s.Directory().Person(ctx, identity.OrganizationID, id)
	if errors.Is(err, directory.ErrNotFound) || errors.As(err, new(*directory.InvalidError)) ||
		err == nil && person.Status != "active" {
		return "", api.Invalid("body.assignee", "is not an active member of the organization; take a member_id from "+
			"listMembers, or say me")
	}
	return id, err
}

// TaskChange is what the body of updateTask may say. A pointer tells a field that was
// left out from one that is to be emptied.
type TaskChange struct {
	Title    *string  `json:"title,omitempty" text:"line" minLength:"1" maxLength:"200" doc:"New title"`
	Notes    *string  `json:"notes,omitempty" maxLength:"10000" example:"Twice a week"`
	State    string   `json:"state,omitempty" enum:"open,in_progress,done" doc:"New state"`
	Due      *newDay  `json:"due,omitempty"`
	Priority string   `json:"priority,omitempty" enum:"low,normal,high,urgent" doc:"New priority" example:"high"`
	Labels   []string `json:"labels,omitempty" text:"line" maxItems:"20"`
	Version  int64    `json:"version,omitempty" minimum:"1" maximum:"9007199254740991"`
}

type updateTaskInput struct {
	TaskID
	Body struct {
		TaskChange
		Assignee *string `json:"assignee,omitempty" maxLength:"128" pattern:"^[A-Za-z0-9._-]*$"`
	}
}

type updateOwnTaskInput struct {
	TaskID
	Body TaskChange
}

func (s *tasks) updateTask(ctx context.Context, in *updateTaskInput) (*taskOutput, error) {
	change := in.Body
	if change.isEmpty() && change.Assignee == nil {
		return nil, api.Invalid("body", "changes nothing; give at least one field to change")
	}
	if err := change.check(); err != nil {
		return nil, err
	}
	// Before the assignee, so that foreign tasks are missing whatever is sent.
	permit, _, err := s.permission(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("update task: %w", err)
	}
	if change.Assignee != nil {
		if *change.Assignee, err = s.assignee(ctx, auth.From(ctx), *change.Assignee); err != nil {
			return nil, fmt.Errorf("update task: %w", err)
		}
	}
	return s.changeTask(ctx, in.ID, change.Version, false, permit, func(_ *store.Tx, t *table.Task) {
		change.apply(t)
		if change.Assignee != nil {
			t.Assignee = *change.Assignee
		}
	})
}

func (c TaskChange) isEmpty() bool {
	return c.Title == nil && c.Notes == nil && c.State == "" && c.Due == nil && c.Priority == "" && c.Labels == nil
}

// check returns what is wrong with the change. It keeps each label once.
func (c *TaskChange) check() (err error) {
	if c.Due != nil {
		if err := api.CheckDate("body.due", string(*c.Due)); err != nil {
			return err
		}
	}
	if c.Labels != nil {
		c.Labels, err = checkLabels("body.labels", c.Labels)
	}
	return err
}

func (c TaskChange) apply(t *table.Task) {
	if c.Title != nil {
		t.Title = *c.Title
	}
	if c.Notes != nil {
		t.Notes = *c.Notes
	}
	if c.State != "" {
		t.State = c.State
	}
	if c.Due != nil {
		t.Due = string(*c.Due)
	}
	if c.Priority != "" {
		t.Priority = slices.Index(priorities, c.Priority) + 1
	}
	if c.Labels != nil {
		t.Labels = c.Labels
	}
}

// changeTask applies a change that permit allows, in the operation's transaction.
func (s *tasks) changeTask(ctx context.Context, id string, version int64, deleted bool, permit func(table.Task) error,
	change func(*store.Tx, *table.Task)) (*taskOutput, error) {
	return api.InTransaction(ctx, s.Service, func(tx *store.Tx) (*taskOutput, error) {
		task, err := table.ChangeTask(tx, auth.From(ctx).Owner(), id, version, deleted, func(t *table.Task) error {
			if err := permit(*t); err != nil {
				return err
			}
			change(tx, t)
			return nil
		})
		if err != nil {
			return nil, conflict(err)
		}
		return &taskOutput{Body: taskFrom(task)}, nil
	})
}

// permission reads a task, deleted or not, and returns the rule by which the caller may change it: a member what they
// created or are assigned, an admin everything, a user their own. It looks up roles only when they decide, and before
// the transaction.
func (s *tasks) permission(ctx context.Context, id string) (func(table.Task) error, table.Task, error) {
	identity := auth.From(ctx)
	task, err := table.GetAny(ctx, s.Store(), identity.Owner(), id)
	if err != nil {
		return nil, task, err
	}
	concerned := func(t table.Task) bool { return identity.Subject == t.Creator || identity.Subject == t.Assignee }
	admin := false
	if !concerned(task) {
		if admin, err = s.HasRole(ctx, directory.Admin); err != nil {
			return nil, task, err
		}
	}
	permit := func(t table.Task) error {
		if admin || concerned(t) {
			return nil
		}
		return api.Forbidden("only who created the task, who is assigned to it, or an admin may change it")
	}
	return permit, task, permit(task)
}

func (s *tasks) completeTask(ctx context.Context, in *TaskID) (*taskOutput, error) {
	permit, task, err := s.permission(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("complete task: %w", err)
	}
	if task.State == "done" && task.DeletedAt.IsZero() {
		api.Unchanged(ctx)
		return &taskOutput{Body: taskFrom(task)}, nil
	}
	return s.changeTask(ctx, in.ID, 0, false, permit, func(_ *store.Tx, t *table.Task) { t.State = "done" })
}

type deleteTaskOutput struct {
	Body struct {
		ID              string `json:"task_id" doc:"Identifier of the deleted task"`
		Deleted         bool   `json:"deleted" doc:"Always true"`
		RestorableUntil string `json:"restorable_until" doc:"Until when restoreTask can bring it back, RFC 3339, UTC"`
	}
}

// deleteTask marks a task as deleted. One that is deleted already stays as it is, so that a repeated call does no harm.
func (s *tasks) deleteTask(ctx context.Context, in *TaskID) (*deleteTaskOutput, error) {
	permit, task, err := s.permission(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("delete task: %w", err)
	}
	if !task.DeletedAt.IsZero() {
		api.Unchanged(ctx)
		return deleted(task), nil
	}
	return api.InTransaction(ctx, s.Service, func(tx *store.Tx) (*deleteTaskOutput, error) {
		task, err := table.ChangeTask(tx, auth.From(ctx).Owner(), in.ID, 0, false, func(t *table.Task) error {
			t.DeletedAt = tx.Now()
			return permit(*t)
		})
		if err != nil {
			return nil, conflict(err)
		}
		return deleted(task), nil
	})
}

func deleted(t table.Task) *deleteTaskOutput {
	out := &deleteTaskOutput{}
	out.Body.ID, out.Body.Deleted = t.ID, true
	out.Body.RestorableUntil = api.FormatTime(t.DeletedAt.Add(store.RestoreWindow))
	return out
}

func (s *tasks) restoreTask(ctx context.Context, in *TaskID) (*taskOutput, error) {
	permit, task, err := s.permission(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("restore task: %w", err)
	}
	if task.DeletedAt.IsZero() {
		api.Unchanged(ctx)
		return &taskOutput{Body: taskFrom(task)}, nil
	}
	return s.changeTask(ctx, in.ID, 0, true, permit, func(_ *store.Tx, t *table.Task) { t.DeletedAt = time.Time{} })
}

// conflict turns a [table.StaleError] into an answer with the task as it is now.
func conflict(err error) error {
	var stale *table.StaleError
	if !errors.As(err, &stale) {
		return err
	}
	return api.Stale(stale.Reason, taskFrom(stale.Current), "The task as it is now is under current. Decide again; if "+
		"the change is still wanted, send it with the version from there.")
}
