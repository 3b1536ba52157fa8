// The application's own OpenAPI document. The addresses for signing in are Guestpass's, under the same public origin:
// a custom GPT wants them, the token endpoint and the operations under one domain.

const note = {
  type: "object",
  required: ["note_id", "text"],
  properties: {
    note_id: { type: "string", description: "Identifier of the note" },
    text: { type: "string", description: "What the note says" },
  },
};

export function document(publicURL) {
  const needs = (scope) => [{ oauth2: [scope] }];
  const ok = (description, schema) => ({ description, content: { "application/json": { schema } } });
  return {
    openapi: "3.1.0",
    info: { title: "Notes", version: "1", description: "Keeps short notes for the signed-in person." },
    servers: [{ url: publicURL }],
    paths: {
      "/notes": {
        get: {
          operationId: "listNotes",
          summary: "List notes",
          description: "Returns the notes of the signed-in person, the newest first.",
          "x-openai-isConsequential": false,
          security: needs("notes:read"),
          responses: {
            200: ok("The notes", {
              type: "object",
              required: ["person", "notes"],
              properties: {
                person: { type: "string", description: "Identifier of the signed-in person" },
                notes: { type: "array", items: note, description: "The newest first" },
              },
            }),
          },
        },
        post: {
          operationId: "addNote",
          summary: "Keep a note",
          description: "Keeps a note and returns it with its note_id.",
          "x-openai-isConsequential": true,
          security: needs("notes:write"),
          requestBody: {
            required: true,
            content: {
              "application/json": {
                schema: {
                  type: "object",
                  required: ["text"],
                  additionalProperties: false,
                  properties: {
                    text: { type: "string", minLength: 1, maxLength: 500, description: "What the note says" },
                  },
                },
              },
            },
          },
          responses: { 201: ok("The note", note) },
        },
      },
      "/notes/{note_id}": {
        delete: {
          operationId: "deleteNote",
          summary: "Delete a note",
          description: "Deletes one note of the signed-in person for good.",
          "x-openai-isConsequential": true,
          security: needs("notes:write"),
          parameters: [
            {
              name: "note_id",
              in: "path",
              required: true,
              description: "Identifier of the note, as listNotes returns it",
              schema: { type: "string", maxLength: 40 },
            },
          ],
          responses: {
            200: ok("It is gone", {
              type: "object",
              required: ["note_id", "deleted"],
              properties: {
                note_id: { type: "string", description: "Identifier of the note" },
                deleted: { type: "boolean", description: "Always true" },
              },
            }),
          },
        },
      },
    },
    components: {
      schemas: {},
      securitySchemes: {
        oauth2: {
          type: "oauth2",
          flows: {
            authorizationCode: {
              authorizationUrl: publicURL + "/idp",
              tokenUrl: publicURL + "/oauth2/token",
              scopes: {
                openid: "Know who you are here",
                offline_access: "Stay connected until you disconnect",
                "notes:read": "Read your notes",
                "notes:write": "Change your notes",
              },
            },
          },
        },
      },
    },
  };
}
