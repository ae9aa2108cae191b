import { describe, expect, it } from 'vitest'
import { cpuMsOf } from '../../../test/support/pace.ts'
import { hostDangers } from './index.ts'

/** Hosts that honest programs name: APIs of services, known here or not, public data, tenants, own servers. */
const HONEST_HOSTS: readonly string[] = `
api.stripe.com files.stripe.com api-m.paypal.com connect.squareup.com api.mollie.com api.razorpay.com api.paystack.co
api.flutterwave.com production.plaid.com api.wise.com b2b.revolut.com api.gocardless.com api.paddle.com
api.lemonsqueezy.com acme.chargebee.com v3.recurly.com api.coinbase.com api.exchange.coinbase.com api.kraken.com
api.binance.com api.mercury.com platform.brexapis.com api.ramp.com api.klarna.com api.checkout.com api.xero.com
quickbooks.api.intuit.com api.freshbooks.com paper-api.alpaca.markets api.polygon.io api.etherscan.io mainnet.infura.io
api.circle.com rest.zuora.com api.bill.com api.gusto.com api.bitfinex.com api.bybit.com www.okx.com api.gemini.com
api.blockcypher.com blockchain.info mempool.space api.helius.xyz eth-mainnet.g.alchemy.com api.thegraph.com
api.mainnet-beta.solana.com api.dexscreener.com api.coincap.io min-api.cryptocompare.com api.bitpay.com
api.github.com uploads.github.com gitlab.com api.bitbucket.org registry.npmjs.org api.npmjs.org pypi.org crates.io
rubygems.org hub.docker.com registry-1.docker.io quay.io ghcr.io api.nuget.org search.maven.org proxy.golang.org
packagist.org jsr.io deno.land esm.sh unpkg.com cdn.jsdelivr.net circleci.com api.travis-ci.com api.buildkite.com
api.codecov.io sonarcloud.io api.snyk.io sentry.io acme.sentry.io us.sentry.io api.linear.app api.vercel.com
api.netlify.com api.render.com api.heroku.com api.machines.dev api.supabase.com api.cloudflare.com
api.digitalocean.com api.linode.com api.hetzner.cloud api.vultr.com api.scaleway.com api.fastly.com
api.stackexchange.com api.atlassian.com api.getpostman.com app.terraform.io releases.hashicorp.com api.pulumi.com
app.launchdarkly.com api.figma.com codeberg.org sr.ht git.sr.ht pagure.io api.osv.dev api.deps.dev endoflife.date
nodejs.org go.dev www.python.org dl.google.com api.adoptium.net formulae.brew.sh repology.org libraries.io
bundlephobia.com api.bundlephobia.com data.jsdelivr.com api.cdnjs.com api.flagsmith.com api.statsig.com
sts.us-east-1.amazonaws.com bedrock-runtime.us-east-1.amazonaws.com dynamodb.eu-west-1.amazonaws.com
sqs.eu-central-1.amazonaws.com sns.us-west-2.amazonaws.com lambda.us-east-1.amazonaws.com ec2.us-east-1.amazonaws.com
iam.amazonaws.com route53.amazonaws.com secretsmanager.eu-west-1.amazonaws.com kms.us-east-1.amazonaws.com
logs.eu-central-1.amazonaws.com monitoring.us-east-1.amazonaws.com email.us-east-1.amazonaws.com
cognito-idp.us-east-1.amazonaws.com ssm.us-east-1.amazonaws.com api.pricing.us-east-1.amazonaws.com
gmail.googleapis.com www.googleapis.com oauth2.googleapis.com sheets.googleapis.com docs.googleapis.com
drive.googleapis.com calendar-json.googleapis.com bigquery.googleapis.com maps.googleapis.com
youtube.googleapis.com translation.googleapis.com vision.googleapis.com language.googleapis.com
generativelanguage.googleapis.com us-central1-aiplatform.googleapis.com firestore.googleapis.com
identitytoolkit.googleapis.com fcm.googleapis.com people.googleapis.com tasks.googleapis.com
analyticsdata.googleapis.com searchconsole.googleapis.com customsearch.googleapis.com pubsub.googleapis.com
cloudresourcemanager.googleapis.com compute.googleapis.com accounts.google.com www.google.com news.google.com
management.azure.com login.microsoftonline.com graph.microsoft.com dev.azure.com acme.openai.azure.com
acme.cognitiveservices.azure.com acme.search.windows.net acme.vault.azure.net api.cognitive.microsofttranslator.com
api.bing.microsoft.com outlook.office365.com acme.sharepoint.com acme.crm.dynamics.com iam.cloud.ibm.com
us-south.ml.cloud.ibm.com appleid.apple.com api.appstoreconnect.apple.com api.push.apple.com itunes.apple.com
weatherkit.apple.com dashscope.aliyuncs.com ecs.aliyuncs.com cvm.tencentcloudapi.com api.ovh.com
api.openai.com api.anthropic.com api.groq.com api.deepseek.com api.mistral.ai api.x.ai openrouter.ai
api.together.xyz api.fireworks.ai api.cohere.com api.perplexity.ai api.cerebras.ai integrate.api.nvidia.com
api.moonshot.ai api.minimax.io api.z.ai open.bigmodel.cn huggingface.co router.huggingface.co api.replicate.com
api.stability.ai api.elevenlabs.io api.assemblyai.com api.deepgram.com api.dev.runwayml.com api.ai21.com
api.voyageai.com api.jina.ai api.tavily.com api.exa.ai api.firecrawl.dev google.serper.dev serpapi.com
api.pinecone.io controller.us-east-1.pinecone.io api.smith.langchain.com cloud.langfuse.com api.sambanova.ai
api.hyperbolic.xyz api.novita.ai api.siliconflow.com api.baseten.co api.deepinfra.com api.studio.nebius.com
queue.fal.run api.ideogram.ai api.lumalabs.ai api.heygen.com api.aimlapi.com api.arliai.com api.inference.net
api.friendli.ai api.lepton.ai api.upstage.ai api.reka.ai api.writer.com api.aleph-alpha.com api.nlpcloud.io
api.edenai.run api.krea.ai api.leonardo.ai api.murf.ai api.play.ht api.speechmatics.com api.gladia.io
api.wolframalpha.com api.diffbot.com api.browserless.io api.brightdata.com api.apify.com api.you.com
api.search.brave.com api.kagi.com api.mem0.ai api.helicone.ai api.portkey.ai api.braintrust.dev api.cognition.ai
slack.com hooks.slack.com files.slack.com acme.slack.com discord.com api.telegram.org graph.facebook.com
graph.instagram.com api.x.com api.linkedin.com oauth.reddit.com www.reddit.com bsky.social public.api.bsky.app
mastodon.social fosstodon.org hachyderm.io api.zoom.us api.twitch.tv id.twitch.tv webexapis.com api.pinterest.com
open.tiktokapis.com api.line.me rest.nexmo.com api.twilio.com rest.messagebird.com api.telnyx.com
matrix-client.matrix.org acme.webhook.office.com api.intercom.io api.pushover.net api.vimeo.com api.groupme.com
acme.zulipchat.com api.mattermost.com chat.googleapis.com api.crisp.chat api.drift.com api.tawk.to lemmy.world
api.pushbullet.com api.gotify.net api.bird.com api.sinch.com api.clicksend.com api.textmagic.com
api.sendgrid.com api.mailgun.net api.eu.mailgun.net api.postmarkapp.com api.resend.com us1.api.mailchimp.com
api.brevo.com api.mailjet.com a.klaviyo.com api.fastmail.com track.customer.io connect.mailerlite.com app.loops.so
api.hunter.io api.zerobounce.net api.neverbounce.com emailoctopus.com api.buttondown.email api.beehiiv.com
acme.substack.com api.ghost.org api.elasticemail.com api.smtp2go.com api.mailtrap.io send.api.mailtrap.io
api.notion.com api.airtable.com app.asana.com api.trello.com api.monday.com api.clickup.com acme.atlassian.net
api.hubapi.com acme.my.salesforce.com login.salesforce.com acme.zendesk.com acme.freshdesk.com api.pipedrive.com
api.close.com www.zohoapis.com www.zohoapis.eu api.calendly.com api.cal.com api.todoist.com api.dropboxapi.com
content.dropboxapi.com api.box.com api.typeform.com api.surveymonkey.com api.jotform.com demo.docusign.net
api.bamboohr.com harvest.greenhouse.io api.lever.co wd5-services1.myworkday.com acme.service-now.com
api.pagerduty.com events.pagerduty.com api.opsgenie.com api.statuspage.io api.miro.com api.harvestapp.com
api.track.toggl.com api.smartsheet.com coda.io api.evernote.com api.deel.com api.personio.de api2.frontapp.com
api.gong.io api.apollo.io cdn.contentful.com acme.api.sanity.io api.webflow.com public-api.wordpress.com
acme.myshopify.com api.bigcommerce.com openapi.etsy.com api.ebay.com sellingpartnerapi-na.amazon.com
ssapi.shipstation.com api.easypost.com api.goshippo.com apis.fedex.com onlinetools.ups.com api-eu.dhl.com
www.eventbriteapi.com api.yelp.com api.shortcut.com app.shortcut.com api.height.app api.basecamp.com
3.basecampapi.com api.wrike.com www.wrike.com api.teamwork.com acme.teamwork.com youtrack.jetbrains.com
api.productboard.com acme.aha.io api.canny.io api.uservoice.com api.raindrop.io getpocket.com readwise.io
api.instapaper.com api.clockify.me rest.tsheets.com api.timely.is api.float.com api.resourceguruapp.com
api.pandadoc.com api.hellosign.com api.signnow.com api.signwell.com api.copper.com api.attio.com api.folk.app
api.streak.com acme.kintone.com api.quickbase.com api.podio.com api.baserow.io app.nocodb.com api.grist.com
api.getgrist.com docs.getgrist.com api.tinybird.co api.us-east.tinybird.co data.mongodb-api.com cloud.mongodb.com
acme.snowflakecomputing.com acme.cloud.databricks.com api.elastic-cloud.com api.planetscale.com console.neon.tech
api.upstash.com acme.upstash.io api.turso.tech acme-db.turso.io api.confluent.cloud api.clickhouse.cloud
acme.eu-west-1.aws.clickhouse.cloud api.fivetran.com cloud.getdbt.com acme.algolia.net acme-dsn.algolia.net
api.cloudinary.com acme.supabase.co abcdefghijklmnop.supabase.co api.appwrite.io cloud.appwrite.io
api.openweathermap.org api.open-meteo.com archive-api.open-meteo.com api.weather.gov nominatim.openstreetmap.org
overpass-api.de api.geoapify.com ipinfo.io api.ipify.org ipapi.co ip-api.com ifconfig.me icanhazip.com
api.mapbox.com api.spotify.com accounts.spotify.com api.themoviedb.org www.omdbapi.com en.wikipedia.org
de.wikipedia.org commons.wikimedia.org api.wikimedia.org query.wikidata.org www.wikidata.org archive.org
web.archive.org api.crossref.org export.arxiv.org api.semanticscholar.org api.openalex.org eutils.ncbi.nlm.nih.gov
hacker-news.firebaseio.com hn.algolia.com api.nasa.gov newsapi.org gnews.io api.nytimes.com
content.guardianapis.com api.coingecko.com pro-api.coinmarketcap.com www.alphavantage.co api.exchangerate.host
api.frankfurter.app api.frankfurter.dev openexchangerates.org finnhub.io query1.finance.yahoo.com
api.twelvedata.com api.tiingo.com data.nasdaq.com api.tomorrow.io api.worldbank.org api.stlouisfed.org
data.sec.gov www.sec.gov api.census.gov api.bls.gov developer.nrel.gov earthquake.usgs.gov api.fda.gov
clinicaltrials.gov data.cityofnewyork.us data.gov.uk api.tfl.gov.uk v6.db.transport.rest api.deutschebahn.com
api.bart.gov transport.opendata.ch api.irishrail.ie api.carbonintensity.org.uk api.electricitymap.org
restcountries.com api.zippopotam.us date.nager.at api.sunrise-sunset.org api.agify.io api.dictionaryapi.dev
pokeapi.co api.chucknorris.io catfact.ninja dog.ceo xkcd.com api.jikan.moe graphql.anilist.co api.scryfall.com
www.boardgamegeek.com api.igdb.com api.steampowered.com store.steampowered.com api.openaq.org api.inaturalist.org
musicbrainz.org ws.audioscrobbler.com api.discogs.com api.deezer.com api.genius.com www.googleapis.com
openlibrary.org www.gutenberg.org gutendex.com api.quotable.io jsonplaceholder.typicode.com httpbin.org
postman-echo.com reqres.in example.com api.example.com example.org www.iana.org
api.datadoghq.com api.datadoghq.eu http-intake.logs.datadoghq.com api.newrelic.com api.honeycomb.io
acme.grafana.net grafana.acme.com logs-prod-eu-west-0.grafana.net api.segment.io api.mixpanel.com api2.amplitude.com
us.i.posthog.com plausible.io api.logz.io api.rollbar.com notify.bugsnag.com uptime.betterstack.com
in.logs.betterstack.com api.uptimerobot.com hc-ping.com api.axiom.co api.statuscake.com api.instatus.com
cronitor.io api.cronitor.io api.pingdom.com api.site24x7.com acme.live.dynatrace.com api.lightstep.com
ingest.signalfx.com acme.okta.com acme.auth0.com acme.eu.auth0.com api.clerk.com api.workos.com api.stytch.com
events.1password.com api.bitwarden.com haveibeenpwned.com api.pwnedpasswords.com www.virustotal.com
api.shodan.io api.hackerone.com hcaptcha.com acme-v02.api.letsencrypt.org api.namecheap.com api.godaddy.com
api.gandi.net api.dnsimple.com api.porkbun.com dns.google cloudflare-dns.com api.abuseipdb.com urlscan.io
api.greynoise.io otx.alienvault.com api.securitytrails.com services.nvd.nist.gov www.cisa.gov api.first.org
gitlab.acme.com github.acme.com git.acme.io sentry.acme.io jira.acme.com confluence.acme.com vault.acme.com
api.acme.com api.acme.dev api.internal-tools.acme.com staging-api.acme.co hooks.acme.com n8n.acme.org
app.posthog.com metabase.acme.com mattermost.example.org nextcloud.example.net wiki.example.org
api.smart-home.example.com home-assistant.example.net api.tado.com my.tado.com api.netatmo.com api.smartthings.com
api.meethue.com api.lifx.com api.switch-bot.com api.ecobee.com owner-api.teslamotors.com api.fitbit.com
www.strava.com api.ouraring.com wbsapi.withings.net api.prod.whoop.com connectapi.garmin.com api.wahooligan.com
api.sportmonks.com api.football-data.org v3.football.api-sports.io ergast.com api.openf1.org statsapi.mlb.com
api.nhle.com www.balldontlie.io api.bbc.co.uk feeds.bbci.co.uk rss.nytimes.com www.theguardian.com
api.deepl.com api-free.deepl.com libretranslate.com api.languagetool.org languagetool.org api.grammarly.com
api.unsplash.com api.pexels.com pixabay.com api.giphy.com tenor.googleapis.com api.remove.bg api.tinify.com
api.cloudconvert.com api.pdf.co api.docraptor.com api.pdfshift.io api.apyhub.com api.screenshotone.com
api.imgflip.com api.qrserver.com quickchart.io api.mathjs.org api.rawg.io api.trakt.tv api.plex.tv
`
  .trim()
  .split(/\s+/)

/** Hosts made to be taken for others, or where anybody can receive data, by how they deceive. None is ever called. */
const FAMILIES = {
  'lookalike_host digits and strokes': `api.str1pe.com api.stripe0.com api.paypa1.com api-m.paypaI.com api.githvb.com
    api.g1thub.com api.gith0b.com api.0penai.com api.open4i.com api.anthr0pic.com api.s1ack.com hooks.5lack.com
    api.not1on.com api.tw1lio.com api.c0inbase.com api.m1stral.ai api.dlscord.com api.l1near.app api.sh0pify.com
    api.cl0udflare.com api.verce1.com api.netl1fy.com api.hub5pot.com api.mai1gun.net api.sendgr1d.com`,
  'lookalike_host pairs of letters': `api.srnartsheet.com api.arnazon.com sts.arnazonaws.com api.rnailgun.net
    api.clatadoghq.com api.cliscord.com api.tvvilio.com api.rnistral.ai api.rnicrosoft.com`,
  'lookalike_host one letter': `api.stripee.com api.strip.com api.strpe.com api.srtipe.com api.githuub.com
    api.gihtub.com api.gitub.com api.githbu.com api.openaii.com api.opnai.com api.oepnai.com api.anthropc.com
    api.antrhopic.com hooks.slackk.com hooks.salck.com api.notoin.com api.twillio.com api.twilo.com api.coinbasee.com
    api.conibase.com api.sendgird.com api.mailgum.net api.cloudfare.com api.digitaloccean.com api.dropboxap.com
    api.airtabel.com api.hubaapi.com graph.mircosoft.com graph.microsft.com graph.facebok.com api.telegrm.org
    www.gogleapis.com sheets.googleapls.com api.paypall.com api-m.payapl.com api.discrod.com api.datadohq.com
    api.pagerdutty.com api.atlasian.com api.elevenlab.io openroutter.ai api.depseek.com api.replicat.com
    huggingfacee.co api.hugingface.co api.salesfroce.com acme.zendeskk.com`,
  'lookalike_host another ending': `api.stripe.co api.stripe.cm api.stripe.io api.stripe.net api.github.co
    api.github.org api.openai.org api.openai.net api.openai.co api.anthropic.ai api.anthropic.io slack.net
    hooks.slack.dev api.twilio.net api.notion.dev api.coinbase.net api.sendgrid.co api.paypal.io api.linear.com
    api.cloudflare.dev api.deepseek.cn api.huggingface.io api.airtable.io discord.net api.telegram.dev
    api.supabase.dev graph.microsoft.dev api.datadoghq.io`,
  'lookalike_host other words': `api-stripe.com stripe-api.com secure-paypal.com paypal-secure.com paypal-login.net
    stripe-payments.com stripe-webhooks.dev github-api.com api-github.com github-sso.com githubapi.net
    login-github.com openai-api.com api-openai.com openaiapi.com openai-gateway.io anthropic-api.com
    anthropicapi.dev slack-api.com slack-hooks.com hooks-slack.com slack-workspace.com notion-api.com api-notion.com
    twilio-sms-api.com getstripe.com stripeapi.com wwwstripe.com www-github.com coinbase-wallet.com my-coinbase.com
    shopify-store-api.com hubspot-sync.com mailgun-relay.com sendgrid-mail.com amazonaws-cdn.com aws-amazonaws.com
    googleapis-cdn.com googleapis-cache.net microsoft-graph.com graph-microsoft.com telegram-api.org discord-api.com
    vercel-deploy-api.com cloudflare-api.dev api-openai-proxy.com openai-com.net stripe-com.dev`,
  'lookalike_host the brand in the wrong place': `slack.com.workspace-sso.dev github.com-login.net api.stripe.com.evil.dev
    api.openai.com.cdn-edge.net stripe.com.pay-gateway.io paypal.com.account-verify.info openai.api-gateway.io
    stripe.api-gateway.io slack.workspace-sso.dev github.login-portal.com api-github-com.sync.dev
    api-stripe-com.relay-host.net hooks.slack.com.hooks-api.io graph.microsoft.com.tenant.cloud
    anthropic.llm-proxy.dev openai.proxy-cdn.com sheets.googleapis.com.data-sync.io api.telegram.org.bot-api.me
    stripe.secure-checkout.co paypal.checkout-secure.net paypa1.payments-hub.com notion.so.page-share.io
    api.github.com.git-mirror.org mail.google.com.session.dev sts.amazonaws.com.region-eu.net coinbase.wallet-connect.dev`,
  'lookalike_host hyphens and dots': `api.open-ai.com api.git-hub.com api.pay-pal.com api.air-table.com
    api.hub-spot.com api.send-grid.com api.mail-gun.net api.cloud-flare.com apistripe.com apigithub.com apiopenai.com
    hooksslack.com graphmicrosoft.com`,
  'lookalike_host a suffix of strangers': `api.github.io api.box.io api.exa.io stripe.pages.dev openai.workers.dev slack.vercel.app
    stripe-api.netlify.app github-login.web.app anthropic.github.io paypal.onrender.com api-openai.fly.dev`,
  'lookalike_host other scripts': `api.xn--strpe-p2e.com xn--pple-43d.com api.xn--gthub-n2e.com
    api.xn--penai-iye.com xn--pypl-53dc.com hooks.xn--lack-f9d.com
    api.xn--ntion-jye.com graph.xn--microsft-sbh.com api.xn--strip-fsa.com api.xn--ithub-qmc.com`,
  'public_suffix a wildcard': `*.github.io *.myshopify.com *.co.uk *.com.au *.pages.dev *.workers.dev *.vercel.app
    *.netlify.app *.herokuapp.com *.web.app *.run.app *.fly.dev *.onrender.com *.r2.dev *.s3.amazonaws.com
    *.amazonaws.com *.googleapis.com *.blob.core.windows.net *.core.windows.net *.cloudfront.net *.supabase.co
    *.atlassian.net *.zendesk.com *.openai.azure.com *.azure.com *.my.salesforce.com *.duckdns.org *.ngrok.io
    *.azurewebsites.net *.us-east-1.amazonaws.com *.s3.eu-central-1.amazonaws.com *.execute-api.us-east-1.amazonaws.com
    *.okta.com *.auth0.com *.appspot.com *.firebaseio.com *.deno.dev *.gitlab.io *.org.uk *.co.jp
    *.kawasaki.jp *.ovh.net *.fastly.net *.us-east-1.on.aws`,
  suspicious_host: `pastebin.com paste.rs dpaste.com rentry.co transfer.sh file.io 0x0.st gofile.io
    store1.gofile.io catbox.moe litterbox.catbox.moe jsonbin.io api.jsonbin.io jsonblob.com ntfy.sh termbin.com
    webhook.site abc.webhook.site requestbin.net eoabc.m.pipedream.net abc.beeceptor.com abc.requestcatcher.com
    abc.oast.fun abc.oastify.com abc.interact.sh smee.io hooks.zapier.com hook.eu1.make.com maker.ifttt.com
    abc.ngrok.io abc.ngrok-free.app abc.eu.ngrok.io abc.loca.lt abc.serveo.net abc.lhr.life
    abc-def-ghi.trycloudflare.com abc-3000.euw.devtunnels.ms bore.pub abc.a.pinggy.link abc.tail1234.ts.net
    corsproxy.io api.allorigins.win api.codetabs.com cors-anywhere.herokuapp.com proxy.cors.sh r.jina.ai
    abc.translate.goog bit.ly tinyurl.com t.co is.gd cutt.ly rb.gy rebrand.ly forms.gle
    evil.github.io evil.gitlab.io evil.pages.dev evil.workers.dev abc.def.workers.dev evil.vercel.app evil.netlify.app
    pub-123.r2.dev abc.r2.cloudflarestorage.com evil.web.app evil.firebaseapp.com evil-default-rtdb.firebaseio.com
    evil.fly.dev evil.onrender.com evil.up.railway.app evil.deno.dev evil.val.run evil.replit.app evil.glitch.me
    evil.surge.sh evil.herokuapp.com evil.azurewebsites.net evil.blob.core.windows.net evil.cloudfront.net
    raw.githubusercontent.com gist.githubusercontent.com script.google.com cdn.discordapp.com
    evil.s3.amazonaws.com evil.s3.eu-central-1.amazonaws.com evil.s3-website-us-east-1.amazonaws.com
    s3.amazonaws.com storage.googleapis.com evil.storage.googleapis.com evil.nyc3.digitaloceanspaces.com
    f004.backblazeb2.com s3.us-west-1.wasabisys.com evil.oss-cn-hangzhou.aliyuncs.com
    evil-125.cos.ap-guangzhou.myqcloud.com abc123.execute-api.us-east-1.amazonaws.com
    ec2-203-0-113-9.compute-1.amazonaws.com abc123.lambda-url.us-east-1.on.aws evil.duckdns.org evil.ddns.net
    evil.mooo.com evil.hopto.org 203.0.113.9.nip.io app.203-0-113-9.sslip.io 203-0-113-9.example.net evil.xip.io
    evil.readthedocs.io evil.js.org formspree.io formsubmit.co api.web3forms.com getform.io sheetdb.io 8.8.8.8 1.1.1.1 [2606:4700::1111]
    https://93.184.216.34 http://93.184.216.34:8080 *.evil.github.io *.abc.ngrok.io`,
} as const satisfies Readonly<Record<string, string>>

const DECEPTIVE_HOSTS: readonly (readonly [family: string, kind: string, host: string])[] = Object.entries(
  FAMILIES,
).flatMap(([family, hosts]) =>
  hosts.split(/\s+/).map((host) => [family, family.split(' ', 1)[0] as string, host] as const),
)

const NONE = { hosts: [] }
const kinds = (host: string, known: readonly string[] = []): readonly string[] =>
  hostDangers([host], { hosts: known }).map(({ kind }) => kind)
const texts = (host: string, known: readonly string[] = []): readonly string[] =>
  hostDangers([host], { hosts: known }).map(({ text }) => text)

describe('dangers of hosts', () => {
  it.each(DECEPTIVE_HOSTS)('tell of %s: %s for %s', (_family, kind, host) => {
    expect(kinds(host.toLowerCase())).toContain(kind)
  })

  it('are told of at most one in a hundred honest hosts', () => {
    expect(new Set(HONEST_HOSTS).size).toBeGreaterThan(400)
    expect(hostDangers(HONEST_HOSTS, NONE)).toEqual([])
    const told = HONEST_HOSTS.filter((host) => kinds(host, HONEST_HOSTS).length > 0)
    expect(told).toEqual([])
  })

  it.each([
    ['*.stripe.com', []],
    ['*.slack-edge.com', []],
    ['*.example.com', []],
    ['*.acme.zendesk.com', []],
    ['127.0.0.1', []],
    ['192.168.1.5:8080', []],
    ['printer', []],
    ['not a host', []],
  ])('stay away from %s', (host, expected) => {
    expect(kinds(host)).toEqual(expected)
  })

  it('begin with the host and say what it is', () => {
    expect(texts('*.github.io')).toEqual(['*.github.io: anybody can have a name under github.io'])
    expect(texts('*.co.uk')).toEqual(['*.co.uk: anybody can register a name under co.uk'])
    expect(texts('*.amazonaws.com')[0]).toContain('covers s3.amazonaws.com too')
    expect(texts('api.str1pe.com')).toEqual(['api.str1pe.com looks like api.stripe.com but is another'])
    expect(texts('http://abc.ngrok.io:8080')).toEqual([
      'http://abc.ngrok.io:8080 is a tunnel to a machine that nobody knows',
    ])
    expect(texts('8.8.8.8')).toEqual(['8.8.8.8 is an address without a name: whose it is cannot be seen'])
  })

  it('tell one host once, and every host', () => {
    expect(hostDangers(['a.ngrok.io', 'api.stripe.com', 'a.ngrok.io', 'pastebin.com'], NONE)).toHaveLength(2)
  })

  describe('beside what the daemon knows', () => {
    const known = [
      'api.acme-payroll.com',
      '*.contoso-bank.net',
      'http://crm.fabrikam.io:8080',
      '10.0.0.1',
      'nonsense host',
    ]

    it.each([
      'api.acme-payrol.com',
      'api.acme-payro11.com',
      'api.acmepayroll.com',
      'api.acme-payroll.io',
      'acme-payroll.com.evil.dev',
      'login.contoso-bamk.net',
      'contoso-bank.com',
      'crm.fabrikam.com',
      'crm.fabrlkam.io',
      'fabrikam-login.io',
      'fabrikam.api-gateway.io',
    ])('tell of %s', (host) => {
      expect(kinds(host, known)).toEqual(['lookalike_host'])
      expect(kinds(host)).toEqual([])
    })

    it.each([
      'api.acme-payroll.com',
      'eu.acme-payroll.com',
      'x.contoso-bank.net',
      'crm.fabrikam.io',
      'api.contoso.com',
    ])('stay away from %s', (host) => {
      expect(kinds(host, known)).toEqual([])
    })

    it('do not tell of a host that a grant or a binding names itself', () => {
      expect(kinds('api.stripe.co')).toEqual(['lookalike_host'])
      expect(kinds('api.stripe.co', ['api.stripe.co'])).toEqual([])
    })
  })

  it('are quick, and quick for any text', async () => {
    const hosts = DECEPTIVE_HOSTS.map(([, , host]) => host).slice(0, 32)
    hostDangers(hosts, { hosts: HONEST_HOSTS })
    const look = (): void => {
      for (let turn = 0; turn < 100; turn += 1) hostDangers(hosts, { hosts: HONEST_HOSTS })
    }
    expect(await cpuMsOf(look)).toBeLessThan(2_000)
    hostDangers([`${'a-'.repeat(31)}a.${'1.'.repeat(90)}com`, `${'s3.'.repeat(80)}com`], NONE)
  })
})
