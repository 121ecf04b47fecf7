/** What stands in the demo's infrastructure repository and what its pull requests change. */

export const WEB = `apiVersion: doaas/v1
kind: Configuration
metadata: {name: web}
spec:
  targets: {labels: {role: web}}
  packages:
    nginx-light: {}
  files:
    /etc/nginx/conf.d/shop.conf:
      source: files/shop.conf
      notify: {reload: [nginx.service]}
    /srv/shop/index.html:
      template: files/index.html
  units:
    nginx.service: {enabled: true, running: true}
  probes:
    - {http: "http://localhost:8080/", contains: "Hello from", within: 5s}
`;

export const SHOP_CONF = `server {
  listen 8080;
  root /srv/shop;
}
`;

export const INDEX = `<h1>Hello from {{host.name}}</h1>
`;

export interface Change {
  readonly branch: string;
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
}

export const GOOD: Change = {
  branch: 'shop',
  title: "Serve the shop's page from all web servers",
  files: { 'web.yaml': WEB, 'files/shop.conf': SHOP_CONF, 'files/index.html': INDEX },
};

/** The probe still asks port 8080. */
export const BAD: Change = {
  branch: 'port',
  title: 'Move the shop to port 8081, and greet better',
  files: {
    'files/shop.conf': SHOP_CONF.replace('8080', '8081'),
    'files/index.html': INDEX.replace('Hello', 'A very warm hello'),
  },
};

/** A package takes long enough to be interrupted in the middle. */
export const INTERRUPTED: Change = {
  branch: 'tools',
  title: 'Install a tool for the people on call',
  files: { 'web.yaml': WEB.replace('nginx-light: {}', 'nginx-light: {}\n    tree: {}') },
};
