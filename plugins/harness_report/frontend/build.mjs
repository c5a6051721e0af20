// Bundles the page's JavaScript into ../static: `npm run build`. With `--compare` it is built elsewhere, and what is
// committed must be the same to the byte. With `--sizes` it is built elsewhere, and the bytes of each library are printed.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const committed = join(here, "..", "static");
const compared = process.argv.includes("--compare");
const measured = process.argv.includes("--sizes");
const out = compared || measured ? mkdtempSync(join(tmpdir(), "report-bundle-")) : committed;

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  charset: "ascii",
  format: "iife",
  target: "es2022",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
};

/** Folder of the package that a bundled file belongs to, such as `node_modules/@tanstack/store`. */
function packageOf(file) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(here, folder, "package.json"), "utf8"));
  const file = readdirSync(join(here, folder)).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} ${version} comes without its license`);
  const text = readFileSync(join(here, folder, file), "utf8")
    .replaceAll("\r\n", "\n")
    .trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}

const page = await build({ ...common, entryPoints: ["src/main.tsx"], outfile: join(out, "report.js") });
await build({ ...common, entryPoints: ["src/first-theme.ts"], outfile: join(out, "theme.js") });

const folders = [...new Set(Object.keys(page.metafile.inputs).map(packageOf))].filter(Boolean).sort();
const missing = folders.filter((folder) => !existsSync(join(here, folder, "package.json")));
if (missing.length) throw new Error(`not packages: ${missing}`);
const head = "report.js holds code of these packages, under their licenses.\n";
const rule = `\n${"-".repeat(80)}\n`;
writeFileSync(join(out, "LICENSES.txt"), [head, ...folders.map(licenseOf)].join(rule));

if (measured) {
  const bytes = {};
  for (const [file, { bytesInOutput }] of Object.entries(Object.values(page.metafile.outputs)[0].inputs)) {
    const library = /^(vega|preact|@tanstack)/.exec(packageOf(file)?.replace("node_modules/", "") ?? "");
    const name = library?.[0] ?? (packageOf(file) ? "other" : "ours");
    bytes[name] = (bytes[name] ?? 0) + bytesInOutput;
  }
  rmSync(out, { recursive: true });
  console.log(JSON.stringify(bytes));
}

if (compared) {
  const files = readdirSync(out);
  const other = files.filter(
    (file) => !readFileSync(join(out, file)).equals(readFileSync(join(committed, file))),
  );
  rmSync(out, { recursive: true });
  if (other.length) {
    console.error(
      `static/ is not what src/ builds: ${other.join(", ")}; run \`npm run build\` and commit it`,
    );
    process.exit(1);
  }
  console.log(`static/ is what src/ builds: ${files.join(", ")}`);
}
