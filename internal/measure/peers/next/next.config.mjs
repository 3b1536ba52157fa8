import path from "node:path";

// The packages are in the folder above.
const root = path.resolve(import.meta.dirname, "..");

export default { outputFileTracingRoot: root, turbopack: { root } };
