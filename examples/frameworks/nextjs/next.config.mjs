/** @type {import('next').NextConfig} */
export default {
  // Loaded by Node.js and not bundled: the cache finds its driver among the installed packages.
  serverExternalPackages: ['@imgproxy-cache/core', '@imgproxy-cache/http', 'sharp'],
};
