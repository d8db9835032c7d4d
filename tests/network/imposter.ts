import { appendFileSync, readFileSync } from "node:fs";

const [hostname = "", port = "", key = "", cert = "", received = ""] = process.argv.slice(2);

const note = async (request: Request): Promise<Response> => {
  appendFileSync(
    received,
    `${request.method} ${request.url} ${JSON.stringify(request.headers)} ${await request.text()}\n`,
  );
  return Response.json([]);
};

Bun.serve({ hostname, port, tls: { key: readFileSync(key), cert: readFileSync(cert) }, fetch: note });
process.stdout.write("listening\n");
