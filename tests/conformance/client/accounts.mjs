// The scenarios in which the gateway itself is the client of an authorization server: what its configuration
// says of the server's credentials, by what the suite's context gives, and what is to come of it.
const account = { kind: 'client_credentials', discover_issuer: true };

// Nobody is to be asked for a token, whoever is registered there: the server stays down.
const refused = {
  credentials: () => ({ ...account, client_id: 'nobody', client_secret: 'never-sent' }),
  down: true
};

// People connect accounts: whoever runs the gateway one for its own requests, then a caller one of its own.
// `stays`: the server refuses that account, too, and so stays down for that reason. `again`: once it is down
// for that reason, the gateway's account is connected a second time.
const connected = { credentials: () => ({ kind: 'oauth' }), down: true, connects: 'Connected' };
// What the authorization server answers is not to be believed: nothing is connected.
const unbelieved = { ...connected, connects: 'Not connected' };

export const accounts = {
  'auth/client-credentials-basic': {
    credentials: ({ client_id, client_secret }) => ({ ...account, client_id, client_secret })
  },

  'auth/client-credentials-jwt': {
    credentials: ({ client_id, private_key_pem, signing_algorithm }) => ({
      ...account,
      client_id,
      private_key: private_key_pem,
      algorithm: signing_algorithm
    })
  },

  'auth/resource-mismatch': refused,
  'auth/metadata-issuer-mismatch': refused,

  'auth/metadata-default': connected,
  'auth/metadata-var1': connected,
  'auth/metadata-var2': connected,
  'auth/metadata-var3': connected,
  'auth/2025-03-26-oauth-metadata-backcompat': connected,
  'auth/2025-03-26-oauth-endpoint-fallback': connected,
  'auth/scope-from-www-authenticate': connected,
  'auth/scope-from-scopes-supported': connected,
  'auth/scope-omitted-when-undefined': connected,
  // It goes on wanting what was granted: nobody is asked for it again.
  'auth/scope-retry-limit': { ...connected, stays: '403 Forbidden' },
  'auth/token-endpoint-auth-basic': connected,
  'auth/token-endpoint-auth-post': connected,
  'auth/token-endpoint-auth-none': connected,
  'auth/pre-registration': {
    ...connected,
    credentials: ({ client_id, client_secret, issuer }) => ({ kind: 'oauth', client_id, client_secret, issuer })
  },
  'auth/offline-access-scope': connected,
  'auth/offline-access-not-supported': connected,
  'auth/authorization-server-migration': { ...connected, again: '(401)' },
  'auth/iss-supported': connected,
  'auth/iss-not-advertised': connected,
  'auth/iss-supported-missing': unbelieved,
  'auth/iss-wrong-issuer': unbelieved,
  'auth/iss-unexpected': unbelieved,
  'auth/iss-normalized': unbelieved
};
