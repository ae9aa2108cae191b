export { BROWSER_IMAGE } from './browser-image.ts'
export { CLAUDE_ARGUMENTS, CLAUDE_IMAGE, CLAUDE_WAITING, claudeVersion } from './claude-image.ts'
export { fileDigest, hostDenoBinary, packageFile } from './deno-binary.ts'
export { denoArguments, netGrant, runVariables } from './deno-flags.ts'
export { DESKTOP_IMAGE } from './desktop-image.ts'
export { OPENCLAW_IMAGE, openclawVersion } from './openclaw-image.ts'
export { IMPORTS_FOLDER, placeFiles } from './place-files.ts'
export {
  DENO,
  type ImageSource,
  imageTag,
  PROXY_VERSION,
  RUNTIMES,
  type Runtime,
  runtimeFile,
} from './runtimes.ts'
