/** A host's page, run in the browser: the official AppBridge around a sandboxed frame. In JavaScript, as nothing else here has a browser's types. */
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

/** What a host allows a page that asks for nothing. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'none'";

globalThis.openApp = async (html, hostContext) => {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.style.cssText = "border:0;width:100%;height:150px;display:block";
  document.body.replaceChildren(frame);

  const capabilities = { updateModelContext: { text: {} } };
  const bridge = new AppBridge(null, { name: "test host", version: "1" }, capabilities, { hostContext });
  const seen = { contexts: [], sizes: [] };
  bridge.onupdatemodelcontext = async (params) => {
    seen.contexts.push(params);
    return {};
  };
  bridge.onsizechange = (size) => {
    seen.sizes.push(size);
    frame.style.height = `${size.height}px`;
  };
  const initialized = new Promise((resolve) => {
    bridge.oninitialized = resolve;
  });
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html.replace(
    "<head>",
    `<head><meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
  );
  await initialized;
  globalThis.app = {
    seen,
    about: () => ({ app: bridge.getAppVersion(), capabilities: bridge.getAppCapabilities() }),
    result: (input, result) =>
      bridge.sendToolInput({ arguments: input }).then(() => bridge.sendToolResult(result)),
    cancelled: () => bridge.sendToolCancelled({ reason: "the user stopped it" }),
    changed: (context) => bridge.sendHostContextChange(context),
    teardown: () => bridge.teardownResource({}),
  };
};
