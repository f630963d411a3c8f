/** The vocabulary of XFRM: States, Policies, Templates, Selectors and the numbers they are made of. */
package org.xfrmbridge.xfrm;
