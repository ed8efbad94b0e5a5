/**
 * The lines of a stream as its parser reads them fastest: whole ones, many at a time, so that it need not put a piece that
 * ends in the middle of a line together with all of the next.
 */
export class Lines {
  #rest = "";
  #begun = false;
  #endedInReturn = false;

  /** Characters of the line that has not ended. */
  get unfinished(): number {
    return this.#rest.length;
  }

  /** The lines which the next piece of the stream completes. */
  take(piece: string): string[] {
    const text = this.#lineFeeds(piece);
    const first = text.indexOf("\n") + 1;
    if (first === 0) {
      this.#rest += text;
      return [];
    }
    const end = text.lastIndexOf("\n") + 1;
    const lines = [this.#rest + text.slice(0, first), text.slice(first, end)];
    this.#rest = text.slice(end);
    return lines;
  }

  /**
   * Any line ending as LF, so that a CR at the end of a piece need not wait for what follows it, and no byte order mark.
   */
  #lineFeeds(text: string): string {
    if (text === "") return text;
    const superfluous = this.#begun
      ? this.#endedInReturn && text.startsWith("\n")
      : text.startsWith("\ufeff");
    const rest = superfluous ? text.slice(1) : text;
    this.#begun = true;
    this.#endedInReturn = text.endsWith("\r");
    return rest.includes("\r") ? rest.replace(/\r\n?/g, "\n") : rest;
  }
}
