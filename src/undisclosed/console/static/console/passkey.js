// SPDX-License-Identifier: Apache-2.0
// A button that asks the browser for a passkey and sends the form it belongs to.
(function () {
  'use strict'

  async function optionsOf (button) {
    if (button.dataset.optionsAt) {
      const answer = await fetch(button.dataset.optionsAt, {
        headers: { Accept: 'application/json' },
        credentials: 'same-origin'
      })
      return (await answer.json()).request_options
    }
    const told = JSON.parse(document.getElementById('js_data').textContent)
    return told.creation_options || told.request_options
  }

  async function askedOf (button) {
    const options = await optionsOf(button)
    if (button.dataset.passkey === 'get') {
      return window.webauthnJSON.get(options)
    }
    const alone = document.getElementById('id_passwordless')
    const wanted = options.publicKey.authenticatorSelection
    const isAlone = Boolean(alone && alone.checked)
    wanted.residentKey = isAlone ? 'required' : 'discouraged'
    wanted.requireResidentKey = isAlone
    if (isAlone) {
      wanted.userVerification = 'required'
    }
    return window.webauthnJSON.create(options)
  }

  document.querySelectorAll('button[data-passkey]').forEach(function (button) {
    if (!window.PublicKeyCredential) {
      return
    }
    const form = button.form
    const failed = form.querySelector('[data-failed]')
    button.hidden = false
    button.addEventListener('click', async function () {
      failed.hidden = true
      try {
        form.elements.credential.value = JSON.stringify(await askedOf(button))
      } catch (error) {
        failed.hidden = false
        return
      }
      form.submit()
    })
  })
})()
