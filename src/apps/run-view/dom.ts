/**
 * The part of the browser the page uses, typed here: TypeScript's own library for browsers would put its globals (`name`,
 * `status`, `open`) into every file of the server. What is not here cannot be used, `innerHTML` to begin with: whatever
 * comes from a run becomes text.
 */

export interface UiEvent {
  target: PageElement;
  preventDefault(): void;
}

export interface UiKeyEvent extends UiEvent {
  key: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
}

interface UiEvents {
  click: UiEvent;
  input: UiEvent;
  keydown: UiKeyEvent;
}

export interface PageElement {
  textContent: string;
  className: string;
  hidden: boolean;
  tabIndex: number;
  readonly dataset: Record<string, string | undefined>;
  readonly style: { setProperty(name: string, value: string): void };
  readonly offsetTop: number;
  readonly offsetHeight: number;
  readonly clientHeight: number;
  scrollTop: number;
  append(...children: (PageElement | string)[]): void;
  replaceChildren(...children: (PageElement | string)[]): void;
  setAttribute(name: string, value: string): void;
  addEventListener<Name extends keyof UiEvents>(name: Name, listener: (event: UiEvents[Name]) => void): void;
  closest(selector: string): PageElement | null;
  focus(options: { preventScroll: boolean }): void;
  getBoundingClientRect(): { height: number };
}

export interface InputElement extends PageElement {
  type: string;
  value: string;
  placeholder: string;
}

/** Something another window sent. */
export interface PageMessage {
  source: unknown;
  data: unknown;
}

type Listen = (name: "message", listener: (event: PageMessage) => void) => void;

interface Browser {
  window: {
    parent: { postMessage(message: object, origin: string): void };
    innerWidth: number;
    addEventListener: Listen;
    removeEventListener: Listen;
  };
  document: {
    documentElement: PageElement;
    body: PageElement;
    createElement(tag: "input"): InputElement;
    createElement(tag: "div" | "span" | "h1" | "p" | "pre"): PageElement;
  };
  ResizeObserver: new (changed: () => void) => { observe(element: PageElement): void; disconnect(): void };
}

export const { window, document, ResizeObserver } = globalThis as unknown as Browser;

/** An element with a class and content; strings become text. */
export function element(
  tag: "div" | "span" | "h1" | "p" | "pre",
  className: string,
  ...content: (PageElement | string)[]
): PageElement {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...content);
  return made;
}
