import type { Render } from '@imgproxy-cache/core';

declare const render: Render;
