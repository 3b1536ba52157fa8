// Code samples: each operation as a request, in the languages people ask for. The token
// is a placeholder, also for who has signed in: samples are copied and passed on.

export const placeholder = "ACCESS_TOKEN";

// sampleRequest is a small call of the operation, with capitals where an id belongs.
function sampleRequest(server, path, method, operation) {
  const request = {
    url: server + path.replace(/\{(\w+)\}/g, (_, name) => name.toUpperCase()),
    method: method.toUpperCase(),
    headers: {},
  };
  if (operation.security?.length) request.headers.Authorization = "Bearer " + placeholder;
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  if (schema) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(sampleBody(schema));
  }
  return request;
}

// sampleBody has what is required, or one property when nothing is.
export function sampleBody(schema) {
  const names = Object.keys(schema.properties ?? {});
  const required = names.filter((name) => schema.required?.includes(name));
  return Object.fromEntries((required.length ? required : names.slice(0, 1)).map((name) => [name, sampleValue(schema.properties[name])]));
}

function sampleValue(schema) {
  const type = [schema.type].flat()[0];
  return schema.example ?? schema.examples?.[0] ?? schema.default ?? schema.enum?.[0] ??
    { integer: schema.minimum ?? 1, number: 1, boolean: true, array: [], object: {} }[type] ??
    { email: "ada@example.com", uri: "https://example.com/", date: "2030-01-31" }[schema.format] ?? "example";
}

const indented = (value, by) => JSON.stringify(value, null, 2).replaceAll("\n", "\n" + by);

const javascript = ({ url, method, headers, body }) => {
  const lines = [`  method: ${JSON.stringify(method)},`, `  headers: ${indented(headers, "  ")},`];
  if (body) lines.push(`  body: JSON.stringify(${body}),`);
  return `const response = await fetch(${JSON.stringify(url)}, {\n${lines.join("\n")}\n});\nconsole.log(await response.json());`;
};

const python = ({ url, method, headers, body }) => {
  const lines = [`    ${JSON.stringify(url)},`, `    headers=${indented(headers, "    ")},`];
  if (body) lines.push(`    data=${/['\\]/.test(body) ? JSON.stringify(body) : `'${body}'`},`);
  return `import requests\n\nresponse = requests.${method.toLowerCase()}(\n${lines.join("\n")}\n)\nprint(response.json())`;
};

// samples is the part of an operation that shows them, closed at first.
export function samples({ React, Im, fn, specSelectors }, path, method) {
  const document = specSelectors.specJson().toJS();
  const request = sampleRequest(document.servers[0].url, path, method, document.paths[path][method]);
  const texts = {
    curl: fn.requestSnippetGenerator_curl_bash(Im.fromJS(request)),
    PowerShell: fn.requestSnippetGenerator_curl_powershell(Im.fromJS(request)),
    JavaScript: javascript(request),
    Python: python(request),
  };
  const element = React.createElement;
  return element("details", { className: "samples" }, element("summary", null, "Code samples"),
    Object.entries(texts).map(([language, text]) => element(React.Fragment, { key: language },
      element("h4", null, language), element("pre", { tabIndex: 0, "aria-label": language }, element("code", null, text)))));
}
