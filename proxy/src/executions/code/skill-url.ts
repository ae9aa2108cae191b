import { isIpLiteral, parseHostPattern } from '../../kernel/index.ts'

/**
 * The form of a skill_url: https on port 443, no user or password, a plain host. Links to pages of GitHub and Gist
 * are turned into the address of the raw text. Nothing is resolved here; addresses are checked when dialled.
 */
export type SkillUrl =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly problem: string }

const MAX_URL_LENGTH = 2_048

export function parseSkillUrl(text: string): SkillUrl {
  if (text.length > MAX_URL_LENGTH) return refused(`is longer than ${MAX_URL_LENGTH} characters`)
  // The URL parser drops tabs and line feeds and trims controls: what a person reads would not be what is fetched.
  if (!/^[\x21-\x7e]+$/.test(text)) return refused('holds white space or characters outside printable ASCII')
  if (text.includes('\\')) return refused('holds a backslash')
  if (!/^https:\/\/[^/]/i.test(text)) return refused('does not begin with https://')
  const url = URL.parse(text)
  if (!url) return refused('is not a valid address')
  if (url.username !== '' || url.password !== '' || /^https:\/\/[^/?#]*@/i.test(text)) {
    return refused('holds a user name or password')
  }
  if (url.port !== '') return refused('names a port other than 443')
  if ('problem' in parseHostPattern(url.hostname) || url.hostname.startsWith('*'))
    return refused('has no valid host')
  const bare = url.hostname.replace(/^\[|\]$/g, '')
  if (!isIpLiteral(bare) && !url.hostname.includes('.')) return refused('has a host without a domain')
  return rawForm(url)
}

function rawForm(url: URL): SkillUrl {
  const host = url.hostname.replace(/^www\./, '')
  if (host === 'gist.github.com') return gistRaw(url)
  if (host === 'github.com') {
    const page = /^\/([^/]+)\/([^/]+)\/(?:blob|raw)\/([^/]+\/.+)$/.exec(url.pathname)
    if (!page) return refused('is a GitHub page that is not a file; link to the file')
    return { ok: true, url: new URL(`https://raw.githubusercontent.com/${page[1]}/${page[2]}/${page[3]}`) }
  }
  const plain = new URL(url)
  plain.hash = ''
  return { ok: true, url: plain }
}

/** `/user/id`, `/user/id/revision`, and either with `/raw` behind it; a gist without its user's name redirects. */
function gistRaw(url: URL): SkillUrl {
  // The page's anchor of one file does not tell the file's exact name, and the raw link without it is the first file.
  if (/^#file-/.test(url.hash)) return refused("points at one file of a gist; use that file's Raw link")
  const page = /^\/(?:([^/]+)\/)?([0-9a-f]{5,40})(?:\/([0-9a-f]{40}))?\/?$/.exec(url.pathname)
  if (!page) {
    const raw = /^\/[^/]+\/[0-9a-z]+\/raw(\/|$)/.test(url.pathname)
    return raw
      ? { ok: true, url: new URL(`https://gist.githubusercontent.com${url.pathname}`) }
      : refused('is a Gist page that is not a gist; link to the gist or to its raw text')
  }
  const [, user, id, revision] = page
  const tail = revision === undefined ? 'raw' : `raw/${revision}`
  if (user === undefined) return { ok: true, url: new URL(`https://gist.github.com/${id}/${tail}`) }
  return { ok: true, url: new URL(`https://gist.githubusercontent.com/${user}/${id}/${tail}`) }
}

const refused = (problem: string): SkillUrl => ({ ok: false, problem })
