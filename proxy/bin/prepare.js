// What `npm ci` runs when the packages are there: builds the web console. In the layer of an image that has packages alone
// there is nothing to build.
import { existsSync } from 'node:fs'

const build = new URL('../scripts/build-console.ts', import.meta.url)
if (existsSync(build)) await import(build.href)
