/** Newline-delimited bodies, read as they arrive. */

/** Each line without its end; `undefined`, then nothing more, when one grows past `limit` characters. */
export async function* lines(request: Request, limit: number): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  if (request.body === null) return;
  for await (const chunk of request.body) {
    const pieces = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    for (const line of pieces) yield line;
    if (rest.length > limit) return yield undefined;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
