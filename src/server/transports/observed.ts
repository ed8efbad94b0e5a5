/** An answer whose end is noticed. */

export interface ObservedOptions {
  /** With it a receiver that has gone is noticed at once, and what makes the answer is cancelled; else with the next piece. */
  request?: Request;
  /** Sent before all else. Headers only leave with the first piece, which a stream may be long in coming to. */
  preface?: string;
}

/** Tells `onEnd` once: when the answer has been sent, or its receiver has gone. */
export function observed(
  response: Response,
  onEnd: () => void,
  { request, preface }: ObservedOptions = {},
): Response {
  if (response.body === null) {
    onEnd();
    return response;
  }
  const reader = response.body.getReader();
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    request?.signal.removeEventListener("abort", leave);
    onEnd();
  };
  const leave = () => {
    end();
    reader.cancel().catch(() => {});
  };
  request?.signal.addEventListener("abort", leave);
  if (request?.signal.aborted) leave();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (preface !== undefined) controller.enqueue(new TextEncoder().encode(preface));
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}
