/**
 * Hosts of well known APIs and, behind them, other domains of the same owners, grouped by what they are for. Whatever
 * resembles one of them without being of its domain is told; hosts of these domains are quiet.
 * Source: collected by hand in November 2026 from the addresses that the vendors' API references give. A stale entry
 * widens what is compared and quiets a lookalike of itself; it allows nothing.
 */
const GROUPS = {
  payments: `api.stripe.com files.stripe.com connect.stripe.com api.paypal.com api-m.paypal.com api-m.sandbox.paypal.com
    api.squareup.com connect.squareup.com api.braintreegateway.com payments.braintree-api.com checkout-live.adyen.com
    checkout-test.adyen.com api.mollie.com api.razorpay.com api.paystack.co api.flutterwave.com production.plaid.com
    sandbox.plaid.com api.plaid.com api.wise.com api.transferwise.com api.revolut.com b2b.revolut.com api.gocardless.com
    api.paddle.com api.lemonsqueezy.com api.chargebee.com api.recurly.com api.coinbase.com api.exchange.coinbase.com
    api.kraken.com api.binance.com api.mercury.com api.brex.com api.ramp.com api.klarna.com api.authorize.net
    api.checkout.com api.worldpay.com api.xero.com quickbooks.api.intuit.com api.freshbooks.com api.venmo.com
    api.cash.app api.robinhood.com api.alpaca.markets api.polygon.io api.etherscan.io mainnet.infura.io
    api.opensea.io api.moonpay.com api.circle.com api.dwolla.com api.zuora.com api.bill.com api.gusto.com`,
  development: `api.github.com uploads.github.com github.com gitlab.com api.bitbucket.org bitbucket.org codeload.github.com
    registry.npmjs.org api.npmjs.org www.npmjs.com pypi.org files.pythonhosted.org crates.io static.crates.io
    rubygems.org hub.docker.com registry-1.docker.io auth.docker.io quay.io ghcr.io api.nuget.org repo.maven.apache.org
    proxy.golang.org packagist.org jsr.io npm.jsr.io deno.land esm.sh unpkg.com cdn.jsdelivr.net circleci.com
    api.travis-ci.com api.buildkite.com api.codecov.io sonarcloud.io api.snyk.io sentry.io api.linear.app linear.app
    api.vercel.com vercel.com api.netlify.com netlify.com api.render.com api.heroku.com api.fly.io api.machines.dev
    backboard.railway.app railway.app api.supabase.com supabase.com api.cloudflare.com cloudflare.com
    api.digitalocean.com api.linode.com api.hetzner.cloud api.vultr.com api.scaleway.com api.fastly.com
    api.stackexchange.com stackoverflow.com api.atlassian.com api.postman.com api.getpostman.com jenkins.io
    app.terraform.io releases.hashicorp.com api.pulumi.com api.jetbrains.com marketplace.visualstudio.com
    api.launchdarkly.com app.launchdarkly.com api.replit.com api.codesandbox.io api.figma.com figma.com`,
  clouds: `sts.amazonaws.com amazonaws.com api.aws amazon.com aws.amazon.com googleapis.com www.googleapis.com
    accounts.google.com oauth2.googleapis.com google.com management.azure.com azure.com login.microsoftonline.com
    graph.microsoft.com microsoft.com dev.azure.com openai.azure.com windows.net live.com office.com office365.com
    outlook.office365.com sharepoint.com visualstudio.com iam.cloud.ibm.com cloud.ibm.com oraclecloud.com
    appleid.apple.com api.appstoreconnect.apple.com apple.com icloud.com aliyuncs.com alibabacloud.com myqcloud.com
    tencentcloudapi.com ovh.com api.ovh.com`,
  models: `api.openai.com openai.com chatgpt.com api.anthropic.com anthropic.com claude.ai claude.com
    generativelanguage.googleapis.com api.groq.com api.deepseek.com api.mistral.ai codestral.mistral.ai api.x.ai
    openrouter.ai api.together.ai api.together.xyz api.fireworks.ai api.cohere.com api.cohere.ai api.perplexity.ai
    api.cerebras.ai integrate.api.nvidia.com api.moonshot.ai api.moonshot.cn api.kimi.com api.minimax.io api.z.ai
    open.bigmodel.cn dashscope-intl.aliyuncs.com router.huggingface.co huggingface.co api-inference.huggingface.co
    api.replicate.com replicate.com api.stability.ai api.elevenlabs.io api.assemblyai.com api.deepgram.com
    api.runwayml.com api.ai21.com api.voyageai.com api.jina.ai api.tavily.com api.exa.ai api.firecrawl.dev
    google.serper.dev serpapi.com api.pinecone.io api.langchain.com api.smith.langchain.com cloud.langfuse.com
    api.sambanova.ai api.hyperbolic.xyz api.novita.ai api.siliconflow.com api.siliconflow.cn api.lambda.ai
    api.baseten.co api.deepinfra.com api.nebius.com api.studio.nebius.com fal.run api.fal.ai api.ideogram.ai
    api.lumalabs.ai api.heygen.com api.cursor.com ollama.com api.weaviate.io modal.com`,
  chat: `slack.com hooks.slack.com files.slack.com wss-primary.slack.com discord.com gateway.discord.gg discordapp.com
    api.telegram.org telegram.org graph.facebook.com facebook.com api.whatsapp.com whatsapp.com graph.instagram.com
    instagram.com graph.threads.net api.twitter.com twitter.com api.x.com x.com api.linkedin.com linkedin.com
    oauth.reddit.com reddit.com www.reddit.com bsky.social api.bsky.app public.api.bsky.app mastodon.social
    api.zoom.us zoom.us api.twitch.tv twitch.tv id.twitch.tv webexapis.com api.pinterest.com api.tumblr.com
    open.tiktokapis.com tiktok.com youtube.com api.line.me api.viber.com api.vonage.com rest.nexmo.com
    api.twilio.com twilio.com video.twilio.com api.messagebird.com rest.messagebird.com api.plivo.com api.telnyx.com
    matrix.org matrix-client.matrix.org webhook.office.com api.intercom.io intercom.com api.pushover.net
    api.medium.com api.vimeo.com vimeo.com open-api.tiktok.com snapchat.com signal.org`,
  mail: `api.sendgrid.com sendgrid.com sendgrid.net api.mailgun.net api.eu.mailgun.net mailgun.com api.postmarkapp.com
    api.resend.com api.mailchimp.com mandrillapp.com mailchimp.com us1.api.mailchimp.com api.brevo.com
    api.sendinblue.com api.sparkpost.com api.mailjet.com api.convertkit.com api.kit.com a.klaviyo.com klaviyo.com
    api.fastmail.com gmail.googleapis.com api.customer.io track.customer.io api.constantcontact.com
    api.getresponse.com api.mailerlite.com connect.mailerlite.com api.campaignmonitor.com api.createsend.com
    api.loops.so loops.so proton.me api.protonmail.ch`,
  work: `api.notion.com notion.com notion.so api.airtable.com airtable.com app.asana.com asana.com api.trello.com
    trello.com api.monday.com monday.com api.clickup.com clickup.com atlassian.com atlassian.net jira.com
    api.hubapi.com hubspot.com api.hubspot.com salesforce.com login.salesforce.com force.com zendesk.com
    api.freshdesk.com freshdesk.com api.pipedrive.com api.close.com zohoapis.com www.zohoapis.com accounts.zoho.com
    api.calendly.com api.cal.com api.todoist.com todoist.com api.dropboxapi.com content.dropboxapi.com dropbox.com
    api.box.com upload.box.com api.typeform.com api.surveymonkey.com api.jotform.com api.docusign.com docusign.net
    www.docusign.net api.bamboohr.com api.greenhouse.io harvest.greenhouse.io api.lever.co api.workday.com
    workday.com wd5-services1.myworkday.com api.servicenow.com service-now.com api.pagerduty.com events.pagerduty.com
    pagerduty.com api.opsgenie.com api.eu.opsgenie.com api.statuspage.io api.miro.com api.harvestapp.com
    api.track.toggl.com api.smartsheet.com coda.io api.coda.io api.evernote.com api.zapier.com zapier.com
    api.make.com ifttt.com api.deel.com api.rippling.com api.personio.de api.frontapp.com api.gong.io
    api.outreach.io api.apollo.io api.contentful.com cdn.contentful.com api.sanity.io api.webflow.com
    api.wordpress.org public-api.wordpress.com api.squarespace.com shopify.com myshopify.com
    api.bigcommerce.com api.etsy.com openapi.etsy.com api.ebay.com api.amazon.com sellingpartnerapi-na.amazon.com
    api.shipstation.com ssapi.shipstation.com api.easypost.com api.goshippo.com api.shipengine.com apis.fedex.com
    onlinetools.ups.com api.usps.com api.dhl.com api-eu.dhl.com api.doordash.com api.uber.com api.lyft.com
    api.airbnb.com api.yelp.com api.booking.com api.eventbrite.com www.eventbriteapi.com eventbriteapi.com`,
  data: `cloud.mongodb.com data.mongodb-api.com mongodb.com mongodb.net snowflakecomputing.com databricks.com
    api.elastic-cloud.com elastic.co api.planetscale.com console.neon.tech neon.tech api.upstash.com upstash.io
    cloud.redis.io redis.com api.turso.tech turso.io api.confluent.cloud confluent.cloud firestore.googleapis.com
    api.clickhouse.cloud clickhouse.cloud api.fivetran.com api.getdbt.com cloud.getdbt.com algolia.net algolia.com
    api.cloudinary.com res.cloudinary.com api.mapbox.com maps.googleapis.com api.openweathermap.org
    api.open-meteo.com api.weather.gov nominatim.openstreetmap.org openstreetmap.org api.geoapify.com
    api.ipinfo.io ipinfo.io api.maxmind.com geoip.maxmind.com api.spotify.com accounts.spotify.com
    api.themoviedb.org en.wikipedia.org wikipedia.org api.wikimedia.org wikidata.org query.wikidata.org archive.org
    web.archive.org api.crossref.org export.arxiv.org arxiv.org hacker-news.firebaseio.com api.nasa.gov
    newsapi.org api.nytimes.com content.guardianapis.com api.coingecko.com pro-api.coinmarketcap.com
    www.alphavantage.co api.exchangerate.host api.frankfurter.app openexchangerates.org finnhub.io
    query1.finance.yahoo.com yahoo.com api.twelvedata.com api.tomorrow.io`,
  observation: `api.datadoghq.com api.datadoghq.eu datadoghq.com http-intake.logs.datadoghq.com api.newrelic.com
    insights-collector.newrelic.com newrelic.com api.honeycomb.io grafana.com grafana.net grafana.com api.segment.io
    segment.com api.mixpanel.com mixpanel.com api.amplitude.com api2.amplitude.com amplitude.com app.posthog.com
    us.i.posthog.com eu.i.posthog.com posthog.com api.rudderstack.com plausible.io api.fathom.com usefathom.com
    www.google-analytics.com google-analytics.com api.logz.io logs-prod.grafana.net api.rollbar.com
    notify.bugsnag.com api.bugsnag.com betterstack.com uptime.betterstack.com in.logs.betterstack.com
    api.uptimerobot.com hc-ping.com healthchecks.io api.axiom.co api.checklyhq.com api.statuscake.com
    api.heap.io heapanalytics.com splunkcloud.com api.sumologic.com logdna.com api.papertrailapp.com`,
  identity: `auth0.com okta.com oktapreview.com api.clerk.com clerk.com api.workos.com api.stytch.com api.onelogin.com
    api.1password.com events.1password.com api.lastpass.com vault.bitwarden.com api.bitwarden.com bitwarden.com
    api.duosecurity.com duosecurity.com haveibeenpwned.com www.virustotal.com virustotal.com api.shodan.io
    hackerone.com api.hackerone.com recaptcha.net hcaptcha.com api.hcaptcha.com challenges.cloudflare.com
    letsencrypt.org acme-v02.api.letsencrypt.org api.namecheap.com api.godaddy.com api.gandi.net api.dnsimple.com
    porkbun.com api.porkbun.com`,
  owned: `github.dev githubapp.com githubassets.com githubcopilot.com api.githubcopilot.com githubusercontent.com
    githubstatus.com vscode.dev npmjs.com slack-edge.com slackb.com slack-msgs.com slack-files.com slackhq.com
    stripe.network stripecdn.com paypalobjects.com paypal-corp.com sandbox.paypal.com braintreepayments.com
    shopifycdn.com shopifysvc.com shopifycloud.com shopify.dev openaistatic.com oaistatic.com oaiusercontent.com
    openai.fund anthropic.skilljar.com discord.gg discordapp.net discord.media discordstatus.com twiliocdn.com
    twimg.com t.me telegra.ph zoomgov.com atlassian-dev.net atl-paas.net bitbucket.io hubspotusercontent.com
    hsforms.com hubspot.net hubspotemail.net mailchimpapp.net mailgun.net zdassets.com zendesk-staging.com
    zohopublic.com zoho.com zoho.eu zoho.in zohoapis.eu zohoapis.in salesforceliveagent.com salesforce-sites.com
    linkedinmobileapp.com licdn.com fbcdn.net facebook.net meta.com redditmedia.com redd.it redditstatic.com
    cloudflare-dns.com cloudflareinsights.com cloudflarestorage.com cloudflarestream.com cloudflare-ipfs.com
    googleusercontent.com googlevideo.com gstatic.com google.dev googlemail.com gmail.com goo.gl googletagmanager.com
    google.cn amazon.co.uk amazon.de amazonpay.com amazonaws.com.cn awsapps.com on.aws microsoftonline.com
    microsoft365.com azureedge.net azure.net azure.us azure.cn azure-api.net azurewebsites.net azure-devices.net
    msauth.net bing.com xboxlive.com dropboxusercontent.com dropboxstatic.com dropbox.tech boxcdn.net notion.site
    notion-static.com airtableblocks.com vercel.app vercel-dns.com vercel-storage.com vercel.live netlify.app
    netlifyusercontent.com herokuapp.com herokucdn.com render.com onrender.com railway.com supabase.co supabase.in
    supabase.net datadog.com datadoghq-browser-agent.com us3.datadoghq.com ddog-gov.com newrelic.co sentry.dev
    sentry-cdn.com mistral.com hf.co hf.space spotifycdn.com tiktokcdn.com tiktokv.com twitchcdn.net
    twitchsvc.net wikimedia.org wikimediafoundation.org mapbox.cn telegram.me telegram.dog whatsapp.net
    linear.dev figma.site intercomcdn.com intercomassets.com squarecdn.com squareupsandbox.com square.com
    plaid.dev coinbase.dev krakenfutures.com binance.us binance.vision binance.info razorpay.me deepseek.ai
    elevenlabs.com replicate.delivery pagerduty.eu oktacdn.com okta-emea.com twilio.dev segmentapis.com
    segment.build mongodb-api.com docker.io docker.com gitlab-static.net gitlabpages.com trello.services
    asana.plus mondaycom.com clickup-attachments.com dhl.de fedexapi.com stackexchange.com stackoverflow.co
    huggingface.tech posthog.net algolianet.com algolia.io auth0.dev clerk.dev clerk.accounts.dev fastly.net
    digitaloceanspaces.com digitalocean.app ondigitalocean.app jsdelivr.com api.frankfurter.dev api.openaq.org revolt.chat github.blog weaviate.cloud weaviate.network`,
} as const satisfies Readonly<Record<string, string>>

export const KNOWN_HOSTS: readonly string[] = Object.values(GROUPS).flatMap((group) => group.split(/\s+/))

/** Brands that are everyday words too: their name beside another word is told only where that word is a decoy. */
export const EVERYDAY_BRANDS: ReadonlySet<string> = new Set(
  `stripe slack square notion linear render segment resend front close monday zoom intercom discord plaid wise mercury
  ramp brex circle mollie paddle harvest outreach apollo gusto lever greenhouse loops customer medium matrix signal
  line reddit twitch pinterest contentful sanity together fireworks perplexity replicate stability cohere groq cursor
  modal lambda moonshot cerebras fathom plausible heap rollbar honeycomb amplitude axiom checkly duosecurity
  transferwise checkout worldpay polygon kraken opensea brevo postman sentry elastic redis confluent fastly render
  workday toggl smartsheet evernote airtable clickup trello asana miro calendly typeform booking eventbrite uber
  lyft yelp apple amazon google oracle target archive healthchecks weaviate pinecone deepgram tomorrow fedex
  facebook buffer live office heroku railway netlify vercel supabase drift robinhood deno jenkins docker
  baseten nebius ollama figma codecov snyk quay newsapi letsencrypt bitwarden clerk stytch porkbun gandi upstash turso
  neon planetscale databricks snowflakecomputing redirect windows visualstudio cloudflare digitalocean shopify
  squarespace webflow mastodon telegram instagram snapchat vimeo whatsapp youtube spotify wikipedia openstreetmap
  mapbox ipinfo segment`.split(/\s+/),
)

/** Software that companies run under their own domain by its own name: `gitlab.acme.com`, `grafana.acme.io`. */
export const SELF_HOSTED: ReadonlySet<string> = new Set(
  `github gitlab bitbucket grafana sentry jira confluence elastic redis mongodb posthog plausible supabase jenkins
  docker mattermost matrix mastodon vault bitwarden healthchecks archive weaviate ollama langfuse wordpress sonarcloud
  rudderstack splunk datadog monday webflow pages status calendly zoom office live teams sharepoint okta auth0
  clickhouse confluent databricks airflow metabase nextcloud outlook exchange amazonaws windows checkout render
  segment customer front line close loops linear modal lambda circle wise box coda harvest lever quay deno ramp
  square mercury together redirect booking target medium signal stability fireworks replicate heap tomorrow live
  polygon apollo outreach greenhouse newsapi letsencrypt retool docusign workday google microsoft apple amazon azure
  openstreetmap`.split(/\s+/),
)

/** Companies with a domain in most countries: their name under a country's ending is theirs. */
export const IN_MANY_COUNTRIES: ReadonlySet<string> = new Set(
  'amazon google ebay booking zoho apple microsoft yahoo airbnb uber dhl fedex ups yelp ovh adyen klarna shopify hubspot'.split(
    ' ',
  ),
)

/** Words that a deceiver puts beside a brand, and that say nothing about who owns a name. */
export const DECOYS: ReadonlySet<string> = new Set(
  `api apis app apps auth login signin sso oauth oauth2 account accounts secure security safe verify verified
  verification pay payment payments checkout billing invoice invoices support help helpdesk service services cloud
  gateway gw proxy relay edge cdn static assets hook hooks webhook webhooks callback callbacks events status portal
  dashboard console admin official team teams hq inc corp com net org io dev co prod production live staging sandbox
  test beta internal public my get go try use the www web site online mail email smtp data upload uploads files share
  storage backup sync sdk client clients connect integration integrations partner partners platform hub id identity
  token tokens key keys vault secret secrets rest graphql v1 v2 v3 us eu uk usa global workspace workspaces enterprise
  business pro plus update updates download downloads docs developer developers info user users customer customers
  graph deploy deploys deployment build ci cd release bot bots chat ai ml llm gpt model models inference metrics logs log analytics tracking collector ingest intake mirror
  cache node server host hosting system systems solutions group digital tech labs store shop money bank wallet transfer
  transfers refunds reset recover recovery session notice alert alerts usercontent content ssl tls https http`.split(
    /\s+/,
  ),
)
