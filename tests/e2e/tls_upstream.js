// A provider behind TLS. Offers HTTP/2 and HTTP/1.1, or HTTP/1.1 alone; says in its reply which one was spoken. Streams in HTTP/2
// end with trailers, as some servers' do.
const fs = require("node:fs");
const http2 = require("node:http2");
const https = require("node:https");

const [certificate, key, protocols] = process.argv.slice(2);
const options = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) };
const server =
  protocols === "h2"
    ? http2.createSecureServer({ ...options, allowHTTP1: true })
    : https.createServer({ ...options, ALPNProtocols: ["http/1.1"] });

function chunk(version, delta, finish) {
  const choice = { index: 0, delta, finish_reason: finish };
  return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: version, choices: [choice] })}\n\n`;
}

server.on("request", (request, response) => {
  let body = "";
  request.on("data", (data) => (body += data));
  request.on("end", () => {
    // What the prompt asks for, in HTTP/2: trailers and no body at all, or a stream that ends in its middle with trailers.
    const wants = JSON.parse(body).messages[0].content;
    if (wants === "no body") {
      response.stream.removeAllListeners("wantTrailers");
      response.stream.respond({ ":status": 200, "content-type": "text/event-stream" }, { waitForTrailers: true });
      response.stream.on("wantTrailers", () => response.stream.sendTrailers({ "x-trailer": "1" }));
      return response.stream.end();
    }
    if (wants === "half a stream") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk("half", { role: "assistant", content: "half" }, null));
      return setTimeout(() => {
        response.addTrailers({ "x-trailer": "1" });
        response.end();
      }, 300);
    }
    const version = `http/${request.httpVersion}`;
    if (JSON.parse(body).stream) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk(version, { role: "assistant", content: version }, null));
      response.write(chunk(version, {}, "stop"));
      response.write("data: [DONE]\n\n");
      response.addTrailers({ "x-trailer": "1" });
      return response.end();
    }
    const message = { role: "assistant", content: version };
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    response.writeHead(200, { "content-type": "application/json" });
    response.write(JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: version, choices, usage }));
    response.addTrailers({ "x-trailer": "1" });
    response.end();
  });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
