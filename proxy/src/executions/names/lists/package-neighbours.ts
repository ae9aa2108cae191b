/**
 * Packages that resemble a popular one and are widely used themselves, so that nobody is warned of them.
 * Source: downloads a month of the npm registry, a list made in 2026: all with 100,000 and more that the rules of
 * packages.ts would tell of.
 */
export const HONEST_NEIGHBOURS: readonly string[] = `
  URIjs accept acorn-node ansistyles args-parser aws-cdk babel-core bcrypt-nodejs bcrypt-ts brace bufferjs
  buffers byte bytes.js callsite camel-case chartjs cliff clui color color-namer colord cookies crypt
  crypto-es dbug eclint enquirer eventemitter2 findup flatten fs.extra global graphiql has-own httperrors
  inherit inquirer2 is-array js-cookie jsdoc jslint json json3 jsona jsonc jsonp jssip loadash lodash-node
  lrucache mkdir mkdirp2 mquery mssql murmurhash node-archiver node-fetch-npm node-sass node-uuid node-xlsx
  node-yaml npm-which npmignore object.assign one-time parse parsejson path-parser postcss-js prettierx
  punycode.js punycode2 rambda react-if react-vis readdir reds reqwest rsolve schedule scrypt semiver sqlite
  synckit telegram tslint tsutils ttypescript types-react urijs uuid-js validatorjs vite-node yaml-js yamljs
`
  .trim()
  .split(/\s+/)

/** Scopes of such packages. */
export const HONEST_SCOPES: readonly string[] =
  'clack bazel rsbuild remotion storyblok vinejs svitejs nestjsx'.split(' ')
