/** Makes one HTML document of an app's `main.ts` and `style.css`. A tool of development: it never ships. */
import { join } from "node:path";
import { build } from "esbuild";

/** esbuild keeps `</script` and `</style` out of what it writes. `title` is plain text of ours. */
export async function buildPage(title: string, folder: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, "main.ts"), join(folder, "style.css")],
    outdir: folder,
    write: false,
    bundle: true,
    minify: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  const text = (ending: string) => {
    const file = outputFiles.find(({ path }) => path.endsWith(ending));
    if (file === undefined) throw new Error(`no ${ending} came out of ${folder}`);
    return file.text.trim();
  };
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>`,
    `<meta name="viewport" content="width=device-width,initial-scale=1">`,
    `<style>${text(".css")}</style></head>`,
    `<body><script type="module">${text(".js")}</script></body></html>`,
  ].join("");
}
