// The scenarios in which the gateway itself is the client of an authorization server: what its configuration
// says of the server's credentials, by what the suite's context gives.
const account = { kind: 'client_credentials', discover_issuer: true };

// Nobody is to be asked for a token, whoever is registered there: the server stays down.
const refused = {
  credentials: () => ({ ...account, client_id: 'nobody', client_secret: 'never-sent' }),
  down: true
};

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
  'auth/metadata-issuer-mismatch': refused
};
