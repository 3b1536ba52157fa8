package stytchtest

import "time"

// DevelopmentPassword is that of everybody in the development seeds.
const DevelopmentPassword = "Guest-pass-1"

// Where the pages of `guestpass dev` are, unless told otherwise.
const (
	developmentPage = "http://localhost:8080/idp"
	developmentDocs = "http://localhost:8080/docs"
)

var born = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// Development returns the pinned B2B seed of `guestpass dev`: two organizations, three
// people, one GPT, and the page on which operations are tried. Scripts and documentation may rely on every value.
func Development() Seed {
	const acme, globex = "organization-test-aaaaaaaa-0000-4000-8000-000000000001",
		"organization-test-bbbbbbbb-0000-4000-8000-000000000001"
	person := func(id, organization, email, name string, roles ...string) Member {
		return Member{ID: id, OrganizationID: organization, Email: email, Name: name, Status: "active",
			Password: DevelopmentPassword,
			Roles:    append([]string{"stytch_member"}, roles...), CreatedAt: born}
	}
	return Seed{
		Project: developmentProject("b2b", "11111111-1111-4111-8111-111111111111"),
		Organizations: []Organization{{ID: acme, Name: "Acme", Slug: "acme", CreatedAt: born},
			{ID: globex, Name: "Globex", Slug: "globex", CreatedAt: born}},
		Members: []Member{
			person("member-test-aaaaaaaa-0000-4000-8000-000000000001", acme, "ada@acme.example", "Ada Lovelace",
				"stytch_admin"),
			person("member-test-aaaaaaaa-0000-4000-8000-000000000002", acme, "grace@acme.example", "Grace Hopper"),
			person("member-test-bbbbbbbb-0000-4000-8000-000000000001", globex, "hank@globex.example", "Hank Scorpio",
				"stytch_admin"),
		},
		ConnectedApps: developmentApps(),
		Policy: Policy{
			Roles: []Role{
				{"stytch_member", "Every member", []Permission{{"stytch.self", []string{"*"}},
					{"stytch.member", []string{"search"}},
					{"members", []string{"read"}}, {"tasks", []string{"read", "write"}},
					{"activity", []string{"read"}}}},
				{"stytch_admin", "Administrators", []Permission{{"stytch.self", []string{"*"}},
					{"stytch.organization", []string{"*"}},
					{"stytch.member", []string{"*"}}, {"members", []string{"*"}}, {"tasks", []string{"*"}},
					{"activity", []string{"*"}}}},
			},
			Resources: []Resource{
				{"stytch.self", "The member themselves", []string{"*"}},
				{"stytch.organization", "The organization", []string{"update.info.name", "update.info.slug", "delete"}},
				{"stytch.member", "Members of the organization", []string{"create", "search", "delete"}},
				{"members", "People in the organization", []string{"read", "invite"}},
				{"tasks", "Tasks", []string{"read", "write"}},
				{"activity", "What was done", []string{"read"}},
			},
			Scopes: append([]CustomScope{
				{"members:read", "See who is in your organization", []Permission{{"members", []string{"read"}}}},
				{"members:invite", "Invite people to your organization", []Permission{{"members", []string{"invite"}}}},
			}, developmentScopes()...),
		},
	}
}

// DevelopmentConsumer returns the pinned Consumer seed of `guestpass dev --vertical
// consumer`: two users and the same apps.
func DevelopmentConsumer() Seed {
	person := func(id, email, first, last string) User {
		return User{ID: id, Emails: []Email{{ID: "email-test-" + id[len("user-test-"):], Address: email,
			Verified: true}},
			Name: UserName{First: first, Last: last}, Status: "active", Password: DevelopmentPassword,
			Roles: []string{"stytch_user"}, CreatedAt: born}
	}
	return Seed{
		Project: developmentProject("consumer", "22222222-2222-4222-8222-222222222222"),
		Users: []User{
			person("user-test-cccccccc-0000-4000-8000-000000000001", "ada@example.com", "Ada", "Lovelace"),
			person("user-test-cccccccc-0000-4000-8000-000000000002", "grace@example.com", "Grace", "Hopper"),
		},
		ConnectedApps: developmentApps(),
		Policy: Policy{
			Roles: []Role{{"stytch_user", "Every user", []Permission{{"stytch.self", []string{"*"}},
				{"tasks", []string{"read", "write"}}, {"activity", []string{"read"}}}}},
			Resources: []Resource{
				{"stytch.self", "The user themselves", []string{"*"}},
				{"tasks", "Tasks", []string{"read", "write"}},
				{"activity", "What was done", []string{"read"}},
			},
			Scopes: developmentScopes(),
		},
	}
}

func developmentProject(vertical, id string) Project {
	return Project{ID: "project-test-" + id, Secret: "secret-test-guestpass-dev", PublicToken: "public-token-test-" +
		id,
		Name: "Guestpass Demo", Vertical: vertical, AuthorizationURL: developmentPage,
		RedirectURLs: RedirectURLs(developmentPage),
		Slug:         "guestpass-demo", Environment: "test", WorkspaceKey: "workspace-key-guestpass-dev",
		WorkspaceSecret: "workspace-secret-guestpass-dev",
		Registration:    true, MetadataDocuments: true}
}

// developmentApps returns the GPT and, as a public client, the page on which operations are
// tried.
func developmentApps() []ConnectedApp {
	return []ConnectedApp{
		// #nosec G101 -- everybody may know it: the emulator guards nothing
		{ClientID: "connected-app-test-dddddddd-0000-4000-8000-000000000001", ClientSecret: "gpt-secret-dev",
			Name: "ChatGPT", Description: "The GPT of the development seed",
			Type: "third_party", RedirectURLs: []string{
				"https://chat.openai.com/aip/g-dev/oauth/callback", "https://chatgpt.com/aip/g-dev/oauth/callback",
				"http://127.0.0.1:8090/callback", "http://localhost:8090/callback"}},
		{ClientID: "connected-app-test-dddddddd-0000-4000-8000-000000000002",
			Name: "Operations page", Description: "The page /docs of the development seed", Type: "third_party_public",
			RedirectURLs: []string{developmentDocs}},
	}
}

// developmentScopes returns those of both verticals.
func developmentScopes() []CustomScope {
	return []CustomScope{
		{"tasks:read", "Read tasks", []Permission{{"tasks", []string{"read"}}}},
		{"tasks:write", "Create, change and delete tasks", []Permission{{"tasks", []string{"write"}}}},
		{"activity:read", "See what was done on your behalf", []Permission{{"activity", []string{"read"}}}},
	}
}
