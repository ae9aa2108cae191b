/**
 * Endings under which strangers get a name of their own although the Public Suffix List does not say so: tenants of
 * services. One tenant's exact host is ordinary; a wildcard over all of them is not.
 * Source: collected by hand in November 2026 from the tenant addresses that the vendors document.
 */
export const SHARED_SUFFIXES: ReadonlySet<string> = new Set(
  `atlassian.net zendesk.com freshdesk.com freshservice.com okta.com oktapreview.com auth0.com us.auth0.com eu.auth0.com
  onelogin.com my.salesforce.com salesforce.com force.com lightning.force.com service-now.com sharepoint.com
  crm.dynamics.com dynamics.com onmicrosoft.com snowflakecomputing.com cloud.databricks.com azuredatabricks.net
  openai.azure.com cognitiveservices.azure.com services.ai.azure.com search.windows.net vault.azure.net
  documents.azure.com servicebus.windows.net azure-api.net azurehdinsight.net algolia.net algolianet.com
  svc.pinecone.io pinecone.io supabase.co supabase.in convex.cloud hasura.app cloud.mongodb.com mongodb.net
  slack.com workday.com myworkday.com bamboohr.com greenhouse.io teamwork.com basecamphq.com monday.com
  teamtailor.com recurly.com chargebee.com bigcommerce.com mybigcommerce.com myshopify.com squarespace.com
  wordpress.com tumblr.com substack.com medium.com ghost.io discourse.group webflow.io hubspotpagebuilder.com
  hs-sites.com grafana.net splunkcloud.com elastic-cloud.com es.io confluent.cloud aivencloud.com upstash.io
  turso.io neon.tech clickhouse.cloud datastax.com apps.astra.datastax.com contentful.com sanity.io
  cloudinary.com imgix.net cdn.prismic.io prismic.io kinsta.app wpengine.com pantheonsite.io gitbook.io readme.io
  statuspage.io zohodesk.com helpscout.net intercom-clicks.com kayako.com uservoice.com aha.io productboard.com
  my1password.com kintone.com cybozu.com quickbase.com smartsheet.com jfrog.io sonatype.app visualstudio.com
  dev.azure.com jetbrains.space youtrack.cloud myjetbrains.com retool.com n8n.cloud`.split(/\s+/),
)

/**
 * Domains of one owner with such endings further down, and the one that is named for each: a wildcard over the whole of them covers
 * strangers too. Those that the Public Suffix List has are found without this (`suffixBelow`); what stands here goes before them.
 */
export const ABOVE_SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['amazonaws.com', 's3.amazonaws.com'],
  ['amazonaws.com.cn', 's3.cn-north-1.amazonaws.com.cn'],
  ['windows.net', 'blob.core.windows.net'],
  ['core.windows.net', 'blob.core.windows.net'],
  ['azure.com', 'cloudapp.azure.com'],
  ['google.com', 'script.google.com'],
  ['googleapis.com', 'storage.googleapis.com'],
  ['cloudflarestorage.com', 'r2.cloudflarestorage.com'],
  ['oraclecloud.com', 'objectstorage.oraclecloud.com'],
  ['aliyuncs.com', 'oss-cn-hangzhou.aliyuncs.com'],
  ['github.dev', 'app.github.dev'],
  ['vercel-storage.com', 'blob.vercel-storage.com'],
  ['make.com', 'hook.eu1.make.com'],
  ['zapier.com', 'hooks.zapier.com'],
  ['ifttt.com', 'maker.ifttt.com'],
  ['pinata.cloud', 'gateway.pinata.cloud'],
  ['discordapp.com', 'cdn.discordapp.com'],
  ['github.com', 'gist.github.com'],
  ['jina.ai', 'r.jina.ai'],
  ['ibm.com', 'cloud.ibm.com'],
  ['scw.cloud', 's3.fr-par.scw.cloud'],
  ['huaweicloud.com', 'obs.myhuaweicloud.com'],
  ['yandexcloud.net', 'storage.yandexcloud.net'],
  ['clerk.accounts.dev', 'clerk.accounts.dev'],
])

/** Private suffixes whose names are services of the owner or tenants that are addressed by their own name. */
export const QUIET_SUFFIXES: ReadonlySet<string> = new Set(
  `googleapis.com myshopify.com supabase.co supabase.in supabase.net amazonaws.com service.gov.uk httpbin.org
  postman-echo.com pstmn.io atlassian-dev.net
  azure-api.net azure.net azure-mobile.net servicebus.windows.net vault.azure.net myjetbrains.com jfrog.io
  sanity.io statuspage.io wordpress.com hubspot.com hubspotpagebuilder.com hasura.app algolia.net algolianet.com
  auth0.com upstash.io mongodb.net clickhouse.cloud confluent.cloud grafana.net elastic-cloud.com es.io
  zendesk.com freshdesk.com fastly.net global.ssl.fastly.net map.fastly.net prismic.io cdn.prismic.io readme.io
  gitbook.io contentful.com imgix.net helpscout.net intercom.io discourse.group ghost.io pantheonsite.io lpages.co
  jelastic.cloud teamtailor.com myworkday.com snowflakecomputing.com privatelink.snowflake.app app.snowflake.com
  visualstudio.com paas.hosted-by-previder.com nyc.mn deno.land apple.com wiremock.cloud mintlify.app kinsta.app
  wpengine.com shopitsite.com translated.page it.com za.com uk.com us.com eu.com de.com gb.net se.net uk.net
  jpn.com ru.com sa.com br.com cn.com co.com in.net us.org ae.org com.de com.se radio.am radio.fm hashbang.sh
  priv.at co.ca name.my datto.net`.split(/\s+/),
)

/** Private suffixes under which the owner alone makes names: what stands before them imitates nobody. */
export const OWNERS_SUFFIXES: readonly string[] = ['googleapis.com', 'amazonaws.com', 'amazonaws.com.cn']
