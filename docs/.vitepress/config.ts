import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { pagesIn, readmesOf } from './pages.js';
import { repositoryLinks } from './repository-links.js';

const reference = [
  ['Configuration', 'configuration'],
  ['Cache-Status', 'cache-status'],
  ['Errors', 'errors'],
  ['Events and metrics', 'events-and-metrics'],
  ['Tokens', 'tokens'],
].map(([text = '', page]) => ({ text, link: `/reference/${page}` }));

export default defineConfig({
  title: 'imgproxy-cache',
  description: "imgproxy's internal cache as an open TypeScript framework",
  lang: 'en-GB',
  cleanUrls: true,
  lastUpdated: false,
  ignoreDeadLinks: 'localhostLinks',
  // On the web a folder's page is its index, in the repository its README.
  rewrites: (page) => page.replace(/(^|\/)README\.md$/, '$1index.md'),
  vite: { build: { chunkSizeWarningLimit: 1500 } },
  markdown: {
    // The repository's own pages show these headings, too: their anchors are GitHub's.
    anchor: { slugify: slug },
    config: (markdown) => markdown.use(repositoryLinks),
  },
  themeConfig: {
    outline: [2, 3],
    search: { provider: 'local' },
    nav: [
      { text: 'Guides', link: '/guides/first-host', activeMatch: '^/(concepts|guides|operating)/' },
      { text: 'Drivers', link: '/drivers/', activeMatch: '^/drivers/' },
      { text: 'Reference', link: '/reference/configuration', activeMatch: '^/reference/(?!api)' },
      { text: 'API', link: '/reference/api/', activeMatch: '^/reference/api/' },
      { text: 'Benchmarks', link: '/benchmarks/' },
    ],
    sidebar: [
      {
        text: 'Concepts',
        items: pagesIn('concepts', ['request', 'key', 'entry', 'policy', 'tiers', 'house']),
      },
      {
        text: 'Guides',
        items: pagesIn('guides', ['first-host', 'hosts-inversify', 'testing-a-host', 'write-a-driver']),
      },
      {
        text: 'Operating',
        items: pagesIn('operating', ['limits', 'health', 'metrics', 'deleting', 'upgrades']),
      },
      { text: 'Drivers', items: pagesIn('drivers', ['README']) },
      { text: 'Reference', items: [...reference, { text: 'API', link: '/reference/api/' }] },
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
});
