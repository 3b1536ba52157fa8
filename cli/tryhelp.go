//go:build !production

package cli

const tryHelp = `Does what ChatGPT does, step by step, and shows what it sees: imports the document
as the GPT editor would, sends the person to sign in and allow, exchanges the code,
calls every published operation, and renews the token.

Order and arguments follow from the document alone, whoever wrote it: what reads goes
first, then what creates; identifiers and versions are taken from earlier answers, other
values are made so that the operation's schema admits them. What changes, removes or
undoes is called on what this run created and on nothing else. An operation that lacks an
identifier or a value is left out, and why is told.

The client secret of your own connected app comes from GUESTPASS_TRY_CLIENT_SECRET, from
a file (--client-secret-file), or is asked for on the terminal, which does not show it.

With --mcp it is an MCP client instead, and starts from nothing but the URL: it is
answered 401, reads who issues tokens, becomes known there (by the id you give, by its
metadata document, or by registering), sends the person to sign in and allow with PKCE,
lists the tools, calls each as above, and renews the token. --client says which client it
behaves like. It returns to a free port of this machine, where the real one would return
to its own host.

By default it opens your browser for the signing in. With --as it drives a headless
Chromium through the same page, reading the code from the emulator's inbox; the page
has to offer codes (GUESTPASS_LOGIN_METHODS).

On a server that is not on this machine only operations that read are called, unless
--call names one. A call is given up after 45 seconds, and all calls together after what
--within says. An argument of --call is key=value; a list is one argument, labels=a,b or
labels='["a","b"]'.

Exit code 0: all went well (of all operations together a 403 counts as well: it tells what
the person may not do); 1: something failed, the one operation of --call was refused, an
answer was not JSON although the document says so, none was what the document or the list
of tools declares, or the GPT editor or a client would refuse some of that; 2: a mistake
in the call.`

const tryExamples = `  guestpass try --as ada@acme.example
  guestpass try --as grace@acme.example --call listMembers search=hopper limit=5
  guestpass try --url http://localhost:3000/api/openapi.json
  guestpass try --url https://gpt.example.com --client-id connected-app-live-…
  guestpass try --mcp --as ada@acme.example
  guestpass try --mcp --client claude --as grace@acme.example --call listTasks state=open
  guestpass try --mcp --url https://gpt.example.com/mcp/readonly`
