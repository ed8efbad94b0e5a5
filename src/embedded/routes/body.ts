/** Reads request bodies without letting one fill the memory. */

/** Bytes: the most any route takes in one piece (task trigger, contract api.md 0.7) with room for the rest. */
const CEILING = 4 * 1024 * 1024;

/** The whole body as text, or undefined when it is larger than `limit` bytes. */
export async function readText(request: Request, limit = CEILING): Promise<string | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) return undefined;
  if (request.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limit) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
