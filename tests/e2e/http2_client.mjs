// Sends one HTTP/2 request without TLS, as described on standard input, and prints what came back.

import http2 from "node:http2";
import { text } from "node:stream/consumers";

const { url, path, headers, body } = JSON.parse(await text(process.stdin));
const session = http2.connect(url);
const request = session.request({ ":method": "POST", ":path": path, "content-type": "application/json", ...headers });
const seen = { status: 0, headers: [], body: "", failed: false };

request.setEncoding("utf8");
request.on("response", (head) => {
  seen.status = head[":status"];
  seen.headers = Object.entries(head).filter(([name]) => !name.startsWith(":"));
});
request.on("data", (part) => (seen.body += part));
// Told by `close` as well.
request.on("error", () => {});
request.on("close", () => {
  seen.failed = request.rstCode !== http2.constants.NGHTTP2_NO_ERROR;
  session.close();
  process.stdout.write(JSON.stringify(seen));
});
request.end(body);
