import { wordSet } from './word-set.ts'

/** The form of a secret's name: what a program can read with `Deno.env.get`. */
export const SECRET_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/**
 * Environment injection (`LD_PRELOAD`, `NODE_OPTIONS`): these names steer a shell, a dynamic linker, a runtime or a TLS stack.
 * Setting one of them from outside would change what approved code does, so none may be a secret's name or a top-level
 * argument.
 */
const RESERVED_EXACT = wordSet(`
  HOME PATH PWD OLDPWD SHELL USER LOGNAME TERM TMPDIR TMP TEMP TZ LANG LANGUAGE HOSTNAME IFS ENV BASH_ENV
  PS4 PROMPT_COMMAND CDPATH GLOBIGNORE SHELLOPTS BASHOPTS NO_COLOR FORCE_COLOR SSL_CERT_FILE SSL_CERT_DIR
  SSLKEYLOGFILE CURL_CA_BUNDLE REQUESTS_CA_BUNDLE AWS_CA_BUNDLE GLIBC_TUNABLES GCONV_PATH LOCPATH
  RES_OPTIONS LOCALDOMAIN HOSTALIASES NLSPATH JAVA_TOOL_OPTIONS PERL5OPT RUBYOPT __PROTO__ CONSTRUCTOR
  PROTOTYPE`)
const RESERVED_PREFIX = [
  ...wordSet(`
    LD_ DYLD_ DENO_ NODE_ OAUTH3_ NPM_ V8_ LC_ PYTHON RUST_ MALLOC_ OPENSSL_ GIT_ DOCKER_ BASH_FUNC_ UV_ JSR_ XDG_`),
]

export function isReservedName(name: string): boolean {
  const upper = name.toUpperCase()
  return (
    RESERVED_EXACT.has(upper) ||
    upper.endsWith('_PROXY') ||
    RESERVED_PREFIX.some((prefix) => upper.startsWith(prefix))
  )
}
