import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { breakableNames } from './breakable-names.js';
import { apiModules, pagesIn, readmesOf } from './pages.js';
import { repositoryLinks } from './repository-links.js';
import { stackingTables } from './stacking-tables.js';

const guides = [
  'first-host',
  ...['fastify', 'express', 'hono', 'nextjs', 'nestjs'].map((name) => `frameworks/${name}`),
  'hosts',
  'hosts-without-container',
  'hosts-plain-javascript',
  'hosts-inversify',
  'hosts-rebinding',
  'hosts-child-containers',
  'hosts-two-caches',
  'urls',
  'testing-a-host',
  'operating',
  'write-a-driver',
];

export default defineConfig({
  title: 'imgproxy-cache',
  description: "imgproxy's internal cache as an open TypeScript framework",
  lang: 'en-GB',
  cleanUrls: true,
  ignoreDeadLinks: 'localhostLinks',
  // On the web a folder's page is its index, in the repository its README.
  rewrites: (page) => page.replace(/(^|\/)README\.md$/, '$1index.md'),
  vite: { build: { chunkSizeWarningLimit: 1500 } },
  markdown: {
    // The repository shows these headings, too: their anchors are GitHub's.
    anchor: { slugify: slug },
    config: (markdown) => markdown.use(repositoryLinks).use(breakableNames).use(stackingTables),
  },
  themeConfig: {
    outline: [2, 3],
    search: { provider: 'local' },
    nav: [
      { text: 'Guides', link: '/guides/first-host', activeMatch: '^/(concepts|guides)/' },
      { text: 'Drivers', link: '/drivers/', activeMatch: '^/drivers/' },
      { text: 'Reference', link: '/reference/configuration', activeMatch: '^/reference/(?!api)' },
      { text: 'API', link: '/reference/api/', activeMatch: '^/reference/api/' },
      { text: 'Benchmarks', link: '/benchmarks/' },
      { text: 'URL playground', link: '/playground/', target: '_self' },
    ],
    sidebar: {
      '/reference/api/': [
        { text: 'API', items: apiModules() },
        { text: 'Reference', items: pagesIn('reference', ['configuration']) },
      ],
      '/': [
        { text: 'Concepts', items: pagesIn('concepts', ['request', 'key', 'entry', 'policy', 'tiers']) },
        { text: 'Guides', items: pagesIn('guides', guides) },
        { text: 'Drivers', items: pagesIn('drivers', ['README']) },
        {
          text: 'Reference',
          items: [...pagesIn('reference', ['configuration']), { text: 'API', link: '/reference/api/' }],
        },
        { text: 'Packages', collapsed: true, items: readmesOf('packages') },
        { text: 'Examples', collapsed: true, items: readmesOf('examples') },
        {
          text: 'Project',
          collapsed: true,
          items: [
            { text: 'Benchmarks', link: '/benchmarks/' },
            { text: 'Contributing', link: '/contributing' },
            { text: 'Changelog', link: '/changelog' },
          ],
        },
      ],
    },
  },
});
