/** One API as the styles use it. Paths are those of the vendor's reference, shortened; `noun` is plural. */
export interface Api {
  id: string
  title: string
  host: string
  token: string
  /** The header that carries the token, and what stands before the value. */
  header: string
  scheme: string
  list: string
  item: string
  write: string
  noun: string
  /** The field of the answer that holds the list, and the field that names one entry. */
  key: string
  name: string
}

const api = (text: string): Api => {
  const [id, title, host, token, header, scheme, list, item, write, noun, key, name] = text.split(
    '|',
  ) as string[]
  return {
    id,
    title,
    host,
    token,
    header,
    scheme: scheme === '-' ? '' : scheme?.endsWith('=') ? scheme : `${scheme} `,
    list,
    item,
    write,
    noun,
    key,
    name,
  } as Api
}

/** APIs off the beaten track. */
export const APIS: Api[] = `
lichess|Lichess|lichess.org|LICHESS_TOKEN|authorization|Bearer|/api/account/following|/api/user|/api/challenge/open|players|players|username
toggl|Toggl Track|api.track.toggl.com|TOGGL_BASIC|authorization|Basic|/api/v9/me/projects|/api/v9/workspaces/1/projects|/api/v9/workspaces/1/tags|projects|items|name
raindrop|Raindrop|api.raindrop.io|RAINDROP_TOKEN|authorization|Bearer|/rest/v1/collections|/rest/v1/raindrop|/rest/v1/raindrop|bookmarks|items|title
readwise|Readwise|readwise.io|READWISE_TOKEN|authorization|Token|/api/v2/books/|/api/v2/highlights|/api/v2/highlights/|highlights|results|title
todoist|Todoist|api.todoist.com|TODOIST_TOKEN|authorization|Bearer|/rest/v2/tasks|/rest/v2/projects|/rest/v2/tasks|tasks|tasks|content
oura|Oura|api.ouraring.com|OURA_TOKEN|authorization|Bearer|/v2/usercollection/daily_sleep|/v2/usercollection/sleep|/v2/tag|nights|data|day
strava|Strava|www.strava.com|STRAVA_TOKEN|authorization|Bearer|/api/v3/athlete/activities|/api/v3/activities|/api/v3/activities|rides|activities|name
ynab|YNAB|api.ynab.com|YNAB_TOKEN|authorization|Bearer|/v1/budgets|/v1/budgets/last-used/accounts|/v1/budgets/last-used/payees|budgets|data|name
plausible|Plausible|plausible.io|PLAUSIBLE_KEY|authorization|Bearer|/api/v1/sites|/api/v1/sites|/api/v1/sites/goals|sites|sites|domain
umami|Umami|api.umami.is|UMAMI_KEY|x-umami-api-key|-|/v1/websites|/v1/websites|/v1/websites|websites|data|domain
deepl|DeepL|api-free.deepl.com|DEEPL_KEY|authorization|DeepL-Auth-Key|/v2/languages|/v2/glossaries|/v2/glossaries|languages|languages|name
shippo|Shippo|api.goshippo.com|SHIPPO_TOKEN|authorization|ShippoToken|/shipments/|/tracks|/addresses/|shipments|results|object_id
easypost|EasyPost|api.easypost.com|EASYPOST_BASIC|authorization|Basic|/v2/trackers|/v2/trackers|/v2/trackers|parcels|trackers|tracking_code
inat|iNaturalist|api.inaturalist.org|INAT_JWT|authorization|-|/v1/observations|/v1/taxa|/v1/observations|observations|results|species_guess
discogs|Discogs|api.discogs.com|DISCOGS_TOKEN|authorization|Discogs token=|/users/acme/collection/folders|/releases|/users/acme/wants/1|records|folders|name
trakt|Trakt|api.trakt.tv|TRAKT_TOKEN|authorization|Bearer|/users/me/lists|/movies|/users/me/lists|lists|lists|name
tmdb|TMDB|api.themoviedb.org|TMDB_TOKEN|authorization|Bearer|/3/movie/popular|/3/movie|/3/list|films|results|title
clockify|Clockify|api.clockify.me|CLOCKIFY_KEY|x-api-key|-|/api/v1/workspaces|/api/v1/workspaces|/api/v1/workspaces/1/clients|workspaces|workspaces|name
coda|Coda|coda.io|CODA_TOKEN|authorization|Bearer|/apis/v1/docs|/apis/v1/docs|/apis/v1/docs|docs|items|name
grist|Grist|docs.getgrist.com|GRIST_KEY|authorization|Bearer|/api/orgs|/api/docs|/api/workspaces/1/docs|orgs|orgs|name
nocodb|NocoDB|app.nocodb.com|NOCODB_TOKEN|xc-token|-|/api/v2/meta/bases|/api/v2/tables|/api/v2/tables/t1/records|bases|list|title
cal|Cal.com|api.cal.com|CALCOM_KEY|authorization|Bearer|/v2/bookings|/v2/bookings|/v2/bookings|bookings|data|title
frontapp|Front|api2.frontapp.com|FRONT_TOKEN|authorization|Bearer|/inboxes|/conversations|/tags|inboxes|_results|name
helpscout|Help Scout|api.helpscout.net|HELPSCOUT_TOKEN|authorization|Bearer|/v2/mailboxes|/v2/conversations|/v2/customers|mailboxes|mailboxes|name
gitea|Codeberg|codeberg.org|CODEBERG_TOKEN|authorization|token|/api/v1/user/repos|/api/v1/repos/acme|/api/v1/user/repos|repositories|repos|full_name
sourcehut|SourceHut|todo.sr.ht|SRHT_TOKEN|authorization|Bearer|/api/trackers|/api/user|/api/trackers|trackers|results|name
crates|crates.io|crates.io|CRATES_TOKEN|authorization|-|/api/v1/me/crate_owner_invitations|/api/v1/crates|/api/v1/crates/new|invitations|invitations|crate_name
quay|Quay|quay.io|QUAY_TOKEN|authorization|Bearer|/api/v1/repository|/api/v1/repository/acme|/api/v1/repository|images|repositories|name
scaleway|Scaleway|api.scaleway.com|SCW_KEY|x-auth-token|-|/instance/v1/zones/fr-par-1/servers|/instance/v1/zones/fr-par-1/servers|/instance/v1/zones/fr-par-1/ips|servers|servers|name
gandi|Gandi|api.gandi.net|GANDI_PAT|authorization|Bearer|/v5/livedns/domains|/v5/livedns/domains|/v5/livedns/domains/acme.example/records|domains|domains|fqdn
porkbun|deSEC|desec.io|DESEC_TOKEN|authorization|Token|/api/v1/domains/|/api/v1/domains|/api/v1/domains/acme.example/rrsets/|zones|zones|name
openweather|Tomorrow.io|api.tomorrow.io|TOMORROW_KEY|apikey|-|/v4/locations|/v4/locations|/v4/alerts|places|data|name
sonar|SonarCloud|sonarcloud.io|SONAR_TOKEN|authorization|Bearer|/api/projects/search|/api/measures/component|/api/project_tags/set|projects|components|name
codecov|Codecov|api.codecov.io|CODECOV_TOKEN|authorization|Bearer|/api/v2/github/acme/repos|/api/v2/github/acme/repos|/api/v2/github/acme/flags|repositories|results|name
betterstack|Better Stack|uptime.betterstack.com|BETTER_TOKEN|authorization|Bearer|/api/v2/monitors|/api/v2/monitors|/api/v2/heartbeats|monitors|data|id
healthchecks|Healthchecks|healthchecks.io|HC_KEY|x-api-key|-|/api/v3/checks/|/api/v3/checks|/api/v3/checks/|checks|checks|name
tally|Tally|api.tally.so|TALLY_KEY|authorization|Bearer|/forms|/forms|/webhooks|forms|items|name
ghostfolio|Zotero|api.zotero.org|ZOTERO_KEY|zotero-api-key|-|/users/1/collections|/users/1/items|/users/1/collections|collections|collections|key
mastodon|Mastodon|mastodon.social|MASTODON_TOKEN|authorization|Bearer|/api/v1/lists|/api/v1/statuses|/api/v1/statuses|lists|lists|title
elevenlabs|ElevenLabs|api.elevenlabs.io|ELEVEN_KEY|xi-api-key|-|/v1/voices|/v1/voices|/v1/pronunciation-dictionaries|voices|voices|name
`
  .trim()
  .split('\n')
  .map(api)

const READS: ((a: Api) => string)[] = [
  (a) => `Lists the ${a.noun} in ${a.title}`,
  (a) => `Zeigt, was bei ${a.title} liegt (${a.noun})`,
  (a) => `Affiche la liste « ${a.noun} » de ${a.title}`,
  (a) => `Muestra los datos de ${a.title}: ${a.noun}`,
  (a) => `${a.title} の一覧を表示します（${a.noun}）`,
  (a) => `Показує список з ${a.title} (${a.noun})`,
  (a) => `${a.title} içindeki kayıtları listeler (${a.noun})`,
  (a) => `列出 ${a.title} 中的 ${a.noun}`,
  (a) => `يعرض قائمة ${a.noun} من ${a.title}`,
  (a) => `Pokazuje listę z ${a.title}: ${a.noun}`,
]
const WRITES: ((a: Api) => string)[] = [
  (a) => `Adds one entry to ${a.title} (${a.noun})`,
  (a) => `Legt bei ${a.title} einen Eintrag an`,
  (a) => `Ajoute une entrée dans ${a.title}`,
  (a) => `${a.title}에 항목을 하나 추가합니다`,
  (a) => `Cria um registro em ${a.title}`,
  (a) => `Aggiunge una voce a ${a.title}`,
]

/** A sentence about the program, in one of ten languages for reads and one of six for writes. */
export const describe = (a: Api, kind: 'read' | 'write', turn: number): string => {
  const sentences = kind === 'read' ? READS : WRITES
  return (sentences[turn % sentences.length] as (a: Api) => string)(a)
}
