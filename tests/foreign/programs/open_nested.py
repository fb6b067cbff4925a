# The example program of "Advanced security considerations", Signicat developer documentation (10 October 2023),
# section "Encrypted responses from Signicat", line for line. Only what is to be inserted there - keys, identifiers,
# addresses - comes from the environment.
import os
import json
from jwcrypto import jwk, jwe

# ATTENTION: Insert your nested JWT (that you got from Signicat OIDC server) here!!!
jwe_serialized = os.environ["NESTED_JWT"]

# For the sake of simplicity, the JWKs has been manually loaded into a dictionary.
# In a real life scenario you should do this in a secure manner: The jwe_private_key should be stored securely on your premise. 
jwe_private_key = json.loads(os.environ["JWE_PRIVATE_KEY"])
# Loading JWK key
jwk_jwe_private_key = jwk.JWK()
jwk_jwe_private_key.import_key(**jwe_private_key)

jwetoken = jwe.JWE()
jwetoken.deserialize(jwe_serialized)
jwetoken.decrypt(jwk_jwe_private_key)
jws_serialized = jwetoken.payload
print("\nSIGNED JWT (just like a normal ID token):\n")
print(jwetoken.payload)
