import { readmePages } from '../.vitepress/readme-pages.js';

export default readmePages('examples');
